"""Overlaps are shown, not guessed: which members of two groups meet, which wins, and what is a tie."""

from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.identity import Identity
from sinkhole.policy.overlaps import meetings_of, overlaps_of, ties_of
from sinkhole.policy.statement import Group


def told(*groups: Group) -> list[str]:
    return [
        f"{o.winner.group} {o.winner.member} {'ties' if o.is_tie else 'over'} {o.loser.group} {o.loser.member}"
        for o in overlaps_of(groups)
    ]


def test_network_within_network():
    assert told(Group("house", ("192.0.2.0/24", "198.51.100.0/24")), Group("desk", ("192.0.2.7",))) == [
        "desk 192.0.2.7 over house 192.0.2.0/24"
    ]
    assert told(Group("a", ("192.0.2.0/25",)), Group("b", ("192.0.2.128/25",))) == []
    assert told(Group("a", ("0.0.0.0/0",)), Group("b", ("::/0",))) == []


def test_equal_members_tie_unless_the_order_settles_it():
    members = ("192.0.2.0/24", "mac:aa:bb:cc:dd:ee:ff", "id:X", "name:*.example")
    pairs = [Group("a", members), Group("b", (*members[:2], "id:x", members[3]))]
    assert told(*pairs) == [
        "a name:*.example ties b name:*.example", "a 192.0.2.0/24 ties b 192.0.2.0/24", "a id:X ties b id:x",
        "a mac:aa:bb:cc:dd:ee:ff ties b mac:aa:bb:cc:dd:ee:ff",
    ]  # fmt: skip
    assert ties_of([pairs[0], Group("b", members, order=1)]) == []
    assert told(pairs[0], Group("b", ("192.0.2.0/24",), order=1)) == ["b 192.0.2.0/24 over a 192.0.2.0/24"]


def test_mac_within_prefix():
    assert told(
        Group("vendor", ("mac:aa:bb:cc",)), Group("boss", ("mac:aa:bb:cc:dd:ee:ff", "mac:aa:bb:cd:00:00:00"))
    ) == ["boss mac:aa:bb:cc:dd:ee:ff over vendor mac:aa:bb:cc"]


def test_names_that_one_client_may_have():
    assert told(
        Group("lab", ("name:*.lab.example",)), Group("all", ("name:*.example",)), Group("x", ("name:x.test",))
    ) == ["lab name:*.lab.example over all name:*.example"]


def test_members_of_one_group_do_not_overlap():
    assert told(Group("a", ("192.0.2.0/24", "192.0.2.7", "name:*.a.example", "name:*.example"))) == []


def test_clients_that_are_in_several_groups():
    groups = ClientGroups([
        Group("house", ("192.0.2.0/24",)), Group("lab", ("mac:aa:bb:cc",)), Group("home", ("192.0.2.0/24",)),
    ])  # fmt: skip
    who = Identity("aa:bb:cc:00:00:01")
    seen = [("192.0.2.1", groups.memberships("192.0.2.1", who)), ("192.0.2.2", groups.memberships("192.0.2.2"))]
    found = [(m.winner, m.loser, m.is_tie, m.clients) for m in meetings_of(seen)]
    assert found == [
        ("home", "house", True, ("192.0.2.1", "192.0.2.2")),
        ("lab", "home", False, ("192.0.2.1",)),
        ("lab", "house", False, ("192.0.2.1",)),
    ]
    assert meetings_of([("192.0.2.9", ())]) == []


networks = st.builds(lambda low, size: f"192.0.2.{low}/{size}", st.integers(0, 255), st.integers(22, 32))


@given(st.lists(networks, min_size=1, max_size=4), st.lists(networks, min_size=1, max_size=4), st.integers(0, 255))
def test_client_in_two_groups_is_an_overlap(one, other, low):
    """Whoever is in both groups by address is told by the members alone, with the group that wins."""
    groups = [Group("a", tuple(one)), Group("b", tuple(other))]
    scope = ClientGroups(groups).scope_of(f"192.0.2.{low}")
    found = overlaps_of(groups)
    if len(scope.groups) == 2:
        assert any(overlap.is_tie == (scope.ranks[0] == scope.ranks[1]) for overlap in found)
