"""R-B12: the most specific identifier of a client wins; an unknown client gets the policy for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.groups import EVERYONE, ClientGroups, Scope, name_mistake, parse_client
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import MemberKind
from sinkhole.policy.statement import Group
from tests.policy.world import make_policy


def groups_of(address: str, *groups: Group) -> tuple[str, ...]:
    return ClientGroups(groups).scope_of(address).groups


HOUSE = Group("house", ("192.0.2.0/24", "2001:db8::/32"))
DESK = Group("desk", ("192.0.2.7",))
FLOOR = Group("floor", ("192.0.2.0/28",))


def test_more_specific_network_comes_first():
    assert groups_of("192.0.2.7", HOUSE, DESK, FLOOR) == ("desk", "floor", "house")
    assert groups_of("192.0.2.9", FLOOR, HOUSE) == ("floor", "house")
    assert groups_of("2001:db8::1", HOUSE, DESK) == ("house",)


def test_order_then_name_settle_equal_networks():
    first, second = Group("z", ("192.0.2.0/24",), order=1), Group("a", ("192.0.2.0/24",), order=2)
    assert groups_of("192.0.2.1", second, first) == ("z", "a")
    assert groups_of("192.0.2.1", Group("b", ("192.0.2.0/24",)), Group("a", ("192.0.2.0/24",))) == ("a", "b")


def test_most_specific_of_several_networks_counts():
    wide_and_narrow = Group("both", ("192.0.2.7/32", "192.0.0.0/8"))
    assert groups_of("192.0.2.7", FLOOR, wide_and_narrow) == ("both", "floor")
    assert groups_of("192.0.2.9", FLOOR, wide_and_narrow) == ("floor", "both")


def test_equally_specific_groups_share_a_rank():
    scope = ClientGroups([Group("a", ("192.0.2.0/24",)), Group("b", ("192.0.2.0/24",)), DESK]).scope_of("192.0.2.7")
    assert scope == Scope(("desk", "a", "b"), (0, 1, 1))
    assert [scope.rank_of(name) for name in ("desk", "a", "b", None, "other")] == [0, 1, 1, 3, None]


def test_place_is_the_rank_where_none_is_given():
    assert [Scope(("a", "b")).rank_of(name) for name in ("a", "b", None)] == [0, 1, 2]


@pytest.mark.parametrize("address", ["198.51.100.1", "2001:db9::1", "", "nonsense", "192.0.2", "::gggg"])
def test_unknown_client_gets_the_policy_for_all(address):
    assert ClientGroups([HOUSE, DESK]).scope_of(address) == EVERYONE


def test_ipv4_within_ipv6_counts_as_ipv4():
    assert groups_of("::ffff:192.0.2.7", DESK) == ("desk",)
    assert groups_of("192.0.2.7", Group("mapped", ("::ffff:192.0.2.0/120",))) == ("mapped",)


def test_zone_index_is_dropped():
    assert groups_of("fe80::1%eth0", Group("link", ("fe80::/10",))) == ("link",)
    assert str(parse_client("fe80::1%eth0")) == "fe80::1"


def test_host_bits_of_a_network_do_not_matter():
    assert groups_of("192.0.2.200", Group("loose", ("192.0.2.77/24",))) == ("loose",)


def test_wrong_member_is_named():
    with pytest.raises(PolicyError, match="group staff: 'reception'"):
        ClientGroups([Group("staff", ("reception",))])


networks = st.builds(lambda low, size: f"192.0.2.{low}/{size}", st.integers(0, 255), st.integers(20, 32))
some_groups = st.lists(
    st.builds(
        Group, st.sampled_from("abcdef"), st.lists(networks, max_size=3).map(tuple), order=st.sampled_from([1, 2])
    ),
    max_size=5,
    unique_by=lambda group: group.name,
)


@given(some_groups, st.integers(0, 255), st.randoms())
def test_order_of_groups_never_matters(groups, low, random):
    address = f"192.0.2.{low}"
    scope = ClientGroups(groups).scope_of(address)
    assert ClientGroups(random.sample(groups, len(groups))).scope_of(address) == scope
    assert len(set(scope.groups)) == len(scope.groups) == len(scope.ranks)
    assert list(scope.ranks) == sorted(scope.ranks)


@pytest.mark.parametrize("name", ["a", "lab", "r-and-d", "3", "a" * 63])
def test_name_of_a_group(name):
    assert name_mistake(name) is None


@pytest.mark.parametrize("name", ["", "Lab", "-a", "a-", "a b", "a\n", "a" * 64, "é"])
def test_what_is_no_name_of_a_group(name):
    assert "wanted lower-case letters" in (name_mistake(name) or "")


MAC = "aa:bb:cc:dd:ee:ff"
WHO = Identity(MAC, ("pc7.lab.example",), ("01:aa:bb:cc:dd:ee:ff", "LAPTOP-7"))
LADDER = (
    Group("by-id", ("id:laptop-7",)),
    Group("by-mac", (f"mac:{MAC}",)),
    Group("by-address", ("192.0.2.7",)),
    Group("by-name", ("name:*.lab.example",)),
    Group("by-wider-name", ("name:*.example",)),
    Group("by-prefix", ("mac:aa:bb:cc",)),
    Group("by-network", ("192.0.2.0/24",)),
)


def test_order_of_kinds():
    """R-B12: the table of docs/groups.md, for a client that every member is about."""
    found = ClientGroups(tuple(reversed(LADDER))).scope_of("192.0.2.7", WHO)
    assert found == Scope(tuple(group.name for group in LADDER), tuple(range(len(LADDER))))


def test_client_of_which_nothing_is_known_counts_by_its_address():
    groups = ClientGroups(LADDER)
    assert groups.scope_of("192.0.2.7").groups == ("by-address", "by-network")
    assert groups.scope_of("192.0.2.9", Identity()).groups == ("by-network",)


def test_identity_counts_whatever_the_address():
    groups = ClientGroups(LADDER)
    assert groups.scope_of("198.51.100.1", Identity(MAC)).groups == ("by-mac", "by-prefix")
    assert groups.scope_of("", Identity(ids=("LAPTOP-7",))).groups == ("by-id",)
    assert groups.scope_of("2001:db8::7", Identity(names=("a.example", "b.lab.example"))).groups == (
        "by-name", "by-wider-name",
    )  # fmt: skip
    assert groups.scope_of("198.51.100.1", Identity("aa:bb:cd:00:00:00", ("a.test",), ("x",))) == EVERYONE


def test_best_member_of_a_group_counts_and_all_are_told():
    groups = ClientGroups([Group("lab", ("192.0.2.0/24", f"mac:{MAC}", "id:LAPTOP-7")), Group("desk", ("192.0.2.7",))])
    assert groups.scope_of("192.0.2.7", WHO) == Scope(("lab", "desk"), (0, 1))
    assert [(one.group, str(one.member)) for one in groups.memberships("192.0.2.7", WHO)] == [
        ("lab", "id:LAPTOP-7"), ("lab", f"mac:{MAC}"), ("desk", "192.0.2.7"), ("lab", "192.0.2.0/24"),
    ]  # fmt: skip


def test_order_settles_equal_members_of_any_kind():
    one, other = Group("a", ("mac:aa:bb:cc",), order=2), Group("z", ("mac:aa:bb:cc",), order=1)
    assert ClientGroups([one, other]).scope_of("", Identity(MAC)) == Scope(("z", "a"), (0, 1))
    tie = Group("b", ("mac:aa:bb:cc",), order=2)
    assert ClientGroups([one, tie]).scope_of("", Identity(MAC)) == Scope(("a", "b"), (0, 0))


def test_what_need_be_known_of_clients():
    assert ClientGroups([HOUSE]).kinds == {MemberKind.NETWORK}
    assert not ClientGroups([HOUSE]).has_identities
    assert not ClientGroups(()).has_identities
    groups = ClientGroups(LADDER)
    assert groups.has_identities
    assert groups.kinds == set(MemberKind)


def test_policy_knows_identities():
    policy = make_policy(["block ai for lab"], groups=[Group("lab", (f"mac:{MAC}",)), Group("net", ("192.0.2.0/24",))])
    assert policy.knows_identities
    assert policy.member_kinds == {MemberKind.MAC, MemberKind.NETWORK}
    assert policy.scope_of("192.0.2.7") == Scope(("net",), (0,))
    assert policy.scope_of("192.0.2.7", WHO) == Scope(("lab", "net"), (0, 1))
    assert [one.group for one in policy.memberships("192.0.2.7", WHO)] == ["lab", "net"]
    assert not make_policy([]).knows_identities
