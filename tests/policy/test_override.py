"""What goes before statements: lockdowns, exceptions, grants and pauses, and what is told of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.policy.standing import Statements
from sinkhole.policy.statement import Group
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, Loser
from sinkhole.protocol.names import name_from_text
from tests.catalogue.world import shipped
from tests.policy.world import NOW, VENDORS, WAYS, A, decide, listed, make_policy, override, statement

LAB = Group("lab", ("192.0.2.0/24",))
INSIDE, OUTSIDE = "192.0.2.7", "198.51.100.1"
CHAT = "deepseek.example"


def outcome(policy, name=CHAT, client=INSIDE, **options) -> tuple[str, str | None]:
    verdict = decide(policy, name, client, **options)
    return str(verdict.action), verdict.override


@pytest.mark.parametrize("said", ["block ai", "coach ai", "block domain:deepseek.example", "block jurisdiction:CN"])
@pytest.mark.parametrize("text", ["exception vendor:deepseek", "pause", "pause ai", "exception domain:example"])
def test_what_lifts_lifts_whatever_blocks(said, text):
    policy = make_policy([said], overrides=[override(text, 3)])
    assert outcome(policy) == ("monitor", f"{text.split()[0]}:3")


def test_verdict_tells_the_override_and_keeps_what_is_known_of_the_name():
    policy = make_policy(
        [statement(5, "block ai", reason="law")], overrides=[override("exception vendor:deepseek", 3, reason="paper")]
    )
    verdict = decide(policy, "api.deepseek.example")
    assert (verdict.action, verdict.override, verdict.subject) == (Action.MONITOR, "exception:3", "vendor:deepseek")
    assert (verdict.scope, verdict.statement, verdict.reason) == ("all", None, "paper")
    assert (verdict.vendor, verdict.product, verdict.rule) == (
        "deepseek", "deepseek/api", "api.deepseek.example and below",
    )  # fmt: skip
    assert policy.override("exception:3").reason == "paper"
    assert policy.override("exception:4") is None


@pytest.mark.parametrize("said", ["allow vendor:deepseek", "monitor vendor:deepseek"])
def test_what_is_answered_truly_already_is_left_alone(said):
    policy = make_policy(["block ai", said], overrides=[override("exception ai"), override("pause")])
    assert outcome(policy) == (said.split()[0], None)
    assert decide(policy, CHAT).statement == 2


@pytest.mark.parametrize("name", ["example.org", "status.deepseek.example"])
def test_name_that_nothing_reaches_stays_so(name):
    policy = make_policy(["block ai"], overrides=[override("lockdown ai"), override("pause")])
    assert outcome(policy, name) == ("allow", None)


def test_exception_for_something_else_changes_nothing():
    policy = make_policy(["block ai"], overrides=[override("exception vendor:cloud"), override("pause category:api")])
    assert outcome(policy) == ("block", None)


def test_lockdown_goes_before_everything():
    policy = make_policy(
        ["allow domain:deepseek.example", "allow ai"],
        overrides=[override("pause"), override("exception ai", 2), override("lockdown ai", 4, reason="exam")],
    )
    verdict = decide(policy, CHAT, explain=True)
    assert (verdict.action, verdict.override, verdict.subject, verdict.reason) == (
        Action.BLOCK, "lockdown:4", "ai", "exam",
    )  # fmt: skip
    assert verdict.is_locked_down
    assert verdict.losers[0] == Loser(
        Action.ALLOW, "domain:deepseek.example", "all", "deepseek.example and below",
        "lockdown:4 goes before statements, until 2026-11-24 13:00 UTC",
    )  # fmt: skip


def test_basis_and_end_of_the_statement_are_not_those_of_the_override():
    said = [statement(1, "block ai", basis=Basis.LAW, expires=NOW + timedelta(days=9))]
    assert decide(make_policy(said), CHAT).basis is Basis.LAW
    verdict = decide(make_policy(said, overrides=[override("lockdown ai")]), CHAT)
    assert (verdict.basis, verdict.until) == (None, NOW + timedelta(hours=1))


def test_outranked_overrides_are_told():
    overrides = [override("lockdown vendor:deepseek", 4), override("exception ai", 2, hours=5), override("pause")]
    losers = decide(make_policy(["block ai"], overrides=overrides), CHAT, explain=True).losers
    assert [(lost.subject, lost.rule, lost.why) for lost in losers[1:]] == [
        ("ai", "exception:2", "lockdown:4 goes before it"), ("everything", "pause:1", "lockdown:4 goes before it"),
    ]  # fmt: skip
    same = [override("exception ai", 2), override("exception vendor:deepseek", 1, hours=2), override("pause")]
    verdict = decide(make_policy(["block ai"], overrides=same), CHAT, explain=True)
    assert verdict.override == "exception:1"  # the one that ends last
    assert [lost.why for lost in verdict.losers[1:]] == ["says the same as exception:1"] * 2


def test_name_that_a_lockdown_alone_is_about():
    """No statement speaks of it: a domain, a row of a list."""
    policy = make_policy([], listed("ours", "x.example"), overrides=[override("lockdown domain:a.example feed:ours")])
    assert outcome(policy, "www.a.example") == ("block", "lockdown:1")
    verdict = decide(policy, "x.example", explain=True)
    assert (verdict.subject, verdict.feed, verdict.line) == ("feed:ours", "ours", 1)
    assert [lost.why for lost in verdict.losers] == ["no statement is about feed:ours"]


def test_lockdown_of_a_way_round_policy():
    policy = make_policy(["allow bypass:tunnel"], overrides=[override("lockdown bypass:tunnel")])
    verdict = decide(policy, "tunnel.example")
    assert (verdict.action, verdict.vendor, verdict.subject) == (Action.BLOCK, None, "bypass:tunnel")


def test_facts_are_those_by_which_the_override_reaches_the_name():
    """A row of a list blocks; the exception reaches the name by the catalogue, and the other way round."""
    policy = make_policy(["block feed:ours"], listed("ours", CHAT), overrides=[override("exception vendor:deepseek")])
    verdict = decide(policy, CHAT)
    assert (verdict.feed, verdict.vendor, verdict.action) == (None, "deepseek", Action.MONITOR)
    policy = make_policy(["block vendor:deepseek"], listed("ours", CHAT), overrides=[override("exception feed:ours")])
    verdict = decide(policy, CHAT)
    assert (verdict.feed, verdict.line, verdict.vendor) == ("ours", 1, "deepseek")


def test_rewrite_of_a_local_list_goes_with_the_block():
    rows = listed("own", Rule(Match.SUFFIX, "x.example", RuleAction.REWRITE, rewrite="A 192.0.2.1"), local=True)
    for text in ("pause", "lockdown feed:own"):
        assert decide(make_policy(["block feed:own"], rows, overrides=[override(text)]), "x.example").rewrite == ()
    assert decide(make_policy(["block feed:own"], rows), "x.example").rewrite == ("A 192.0.2.1",)
    assert decide(make_policy(["coach feed:own"], rows), "x.example").rewrite == ()


def test_grant_lifts_coaching_on_its_very_subject_alone():
    """The notice on ai does not open what something more specific blocks or coaches."""
    grants = [override("grant ai", 7, client=INSIDE)]
    assert outcome(make_policy(["coach ai"], overrides=grants)) == ("monitor", "grant:7")
    assert outcome(make_policy(["coach ai"], overrides=grants), client=OUTSIDE) == ("coach", None)
    assert outcome(make_policy(["coach ai", "block vendor:deepseek"], overrides=grants)) == ("block", None)
    assert outcome(make_policy(["coach ai", "coach vendor:deepseek"], overrides=grants)) == ("coach", None)
    assert outcome(make_policy(["block ai"], overrides=grants)) == ("block", None)


def test_scopes():
    policy = make_policy(
        ["block ai"],
        groups=[LAB, Group("desk", (INSIDE,))],
        overrides=[override("exception ai for lab"), override("pause", 2, client="2001:db8::7")],
    )
    found = {client: outcome(policy, client=client) for client in (INSIDE, OUTSIDE, "2001:db8::7", "nonsense")}
    assert found == {
        INSIDE: ("monitor", "exception:1"), OUTSIDE: ("block", None), "2001:db8::7": ("monitor", "pause:2"),
        "nonsense": ("block", None),
    }  # fmt: skip
    assert decide(policy, CHAT, INSIDE).scope == "group:lab"
    assert decide(policy, CHAT, "2001:db8:0::7%eth0").scope == "client:2001:db8::7"
    assert policy.scope_of("2001:DB8::7").client == "2001:db8::7"
    assert policy.scope_of(INSIDE).client is None
    assert policy.scope_of(OUTSIDE) == EVERYONE


def test_clients_of_lists_and_clients_of_exceptions_are_not_mixed_up():
    """Where a row is limited to clients, each scope has its client, with and without an exception of its own."""
    row = Rule(Match.SUFFIX, "x.example", condition=Condition(clients=(OUTSIDE,)))
    policy = make_policy(
        ["block feed:ours", "block ai"], listed("ours", row), overrides=[override("exception ai", client=INSIDE)]
    )
    assert policy.scope_of(OUTSIDE).client == OUTSIDE
    assert [outcome(policy, "x.example", client)[0] for client in (INSIDE, OUTSIDE)] == ["allow", "block"]
    assert [outcome(policy, CHAT, client)[0] for client in (INSIDE, OUTSIDE)] == ["monitor", "block"]


def test_begin_and_end_are_looked_at_when_the_query_comes():
    one = override("pause", begins=NOW + timedelta(minutes=10))
    policy = make_policy(["block ai"], overrides=[one])
    name = name_from_text(CHAT)
    found = {}
    for minutes in (0, 9, 10, 59, 60):
        verdict = policy.decide(name, A, EVERYONE, NOW + timedelta(minutes=minutes))
        found[minutes] = str(verdict.action)
    assert found == {0: "block", 9: "block", 10: "monitor", 59: "monitor", 60: "block"}
    edges = [policy.next_change(NOW + timedelta(minutes=minutes)) for minutes in (0, 10, 60)]
    assert edges == [NOW + timedelta(minutes=10), NOW + timedelta(minutes=60), None]


def test_next_change_is_the_first_of_statements_and_overrides():
    soon = NOW + timedelta(minutes=5)
    policy = make_policy([statement(1, "block ai", expires=soon)], overrides=[override("pause")])
    assert policy.next_change(NOW) == soon
    assert policy.next_change(soon) == NOW + timedelta(hours=1)


def test_change_for_one_client_is_none_for_others():
    own = override("exception ai", client=INSIDE, begins=NOW + timedelta(minutes=10))
    policy = make_policy(["block ai"], overrides=[own, override("pause", 2, hours=2)])
    inside, outside = policy.scope_of(INSIDE), policy.scope_of(OUTSIDE)
    assert policy.next_change(NOW) == policy.next_own_change(inside, NOW) == own.begins
    assert policy.next_own_change(inside, NOW + timedelta(minutes=10)) == own.ends
    assert policy.next_own_change(inside, own.ends) is None
    assert policy.next_own_change(outside, NOW) is None
    assert policy.next_own_change(replace(outside, client=OUTSIDE), NOW) is None
    assert policy.next_shared_change(NOW) == NOW + timedelta(hours=2)


def test_target_of_an_answer():
    policy = make_policy(
        ["block ai"], overrides=[override("exception vendor:deepseek"), override("lockdown vendor:cloud")]
    )
    lifted = policy.decide_target(name_from_text(CHAT), A, EVERYONE, NOW)
    assert (lifted.action, lifted.override, lifted.via) == (Action.MONITOR, "exception:1", CHAT)
    policy = make_policy(["allow vendor:writer"], overrides=[override("lockdown domain:writer.example")])
    locked = policy.decide_target(name_from_text("a.writer.example"), A, EVERYONE, NOW)
    assert (locked.action, locked.override, locked.via) == (Action.BLOCK, "lockdown:1", "a.writer.example")
    nothing = make_policy([], overrides=[override("pause vendor:deepseek")])
    assert nothing.decide_target(name_from_text(CHAT), A, EVERYONE, NOW).subject is None


def test_address_in_an_answer():
    policy = make_policy(
        ["block address:192.0.2.0/24"],
        overrides=[override("exception address:192.0.2.0/25"), override("lockdown address:203.0.113.0/24", 2)],
    )
    found = [policy.decide_address(address, EVERYONE, NOW) for address in ("192.0.2.1", "192.0.2.200", "203.0.113.1")]
    assert [(str(one.action), one.override) for one in found] == [
        ("monitor", "exception:1"), ("block", None), ("block", "lockdown:2"),
    ]  # fmt: skip
    assert found[2].via == "203.0.113.1"
    assert policy.decide_address("198.51.100.1", EVERYONE, NOW).subject is None
    assert policy.decide_address("nonsense", EVERYONE, NOW).subject is None


def test_exception_on_the_name_asked_for_lifts_what_its_answer_leads_to():
    policy = make_policy(["block ai"], overrides=[override("exception domain:alias.example.org")])
    target = policy.decide_target(name_from_text(CHAT), A, EVERYONE, NOW)
    lifted = policy.lift(target, name_from_text("ALIAS.example.org"), A, EVERYONE, NOW)
    assert (lifted.action, lifted.override, lifted.via) == (Action.MONITOR, "exception:1", CHAT)
    assert policy.lift(target, name_from_text("example.org"), A, EVERYONE, NOW) is target
    allowed = policy.decide(name_from_text("example.org"), A, EVERYONE, NOW)
    assert policy.lift(allowed, name_from_text("alias.example.org"), A, EVERYONE, NOW) is allowed
    without = make_policy(["block ai"])
    assert without.lift(target, name_from_text("alias.example.org"), A, EVERYONE, NOW) is target


def test_exception_on_the_name_asked_for_does_not_lift_a_lockdown_behind_it():
    policy = make_policy([], overrides=[override("exception domain:alias.example.org"), override("lockdown ai")])
    target = policy.decide_target(name_from_text(CHAT), A, EVERYONE, NOW)
    assert policy.lift(target, name_from_text("alias.example.org"), A, EVERYONE, NOW) is target


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Override(OverrideKind.PAUSE, 3, (), datetime(2030, 1, 1)), "pause:3: a time has no time zone"),  # noqa: DTZ001
        (override("pause", begins=datetime(2026, 1, 1)), "a time has no time zone"),  # noqa: DTZ001
        (override("lockdown", 4), "lockdown:4: is about nothing"),
        (override("exception domain:a..b", 5), "is not a name"),
        (override("exception address:300.0.0.1", 5), "exception:5 on address:300.0.0.1"),
    ],
)
def test_wrong_override_is_refused(wrong, why):
    with pytest.raises(PolicyError, match=why):
        Statements((), [wrong])


def test_lookalikes_are_looked_for_where_a_lockdown_asks():
    catalogue = shipped()
    index = NameIndex.from_rules([], catalogue.vendors, catalogue.never_block, catalogue.bypass, catalogue.brand_book)
    for overrides, action in (((), "allow"), ((override("lockdown lookalikes"),), "block")):
        policy = Policy(index, (), (), BlockAnswer(), 1, overrides=overrides)
        assert str(policy.decide(name_from_text("deepseek-login.example"), A, EVERYONE, NOW).action) == action


NAMES = (CHAT, "v1.api.deepseek.example", "model.eu.cloud.example", "writer.example", "tunnel.example", "example.org",
         "listed.example")  # fmt: skip
REACH = {
    CHAT: {"vendor:deepseek", "ai", "category:chat", "domain:example", f"domain:{CHAT}"},
    "v1.api.deepseek.example": {"vendor:deepseek", "ai", "domain:example", f"domain:{CHAT}"},
    "model.eu.cloud.example": {"ai", "domain:example"},
    "writer.example": {"category:chat", "domain:example"},
    "tunnel.example": {"bypass:tunnel", "domain:example"},
    "example.org": set(),
    "listed.example": {"feed:ours", "domain:example"},
}
SUBJECTS = ("vendor:deepseek", "ai", "category:chat", "domain:example", f"domain:{CHAT}", "bypass:tunnel", "feed:ours")
said = st.lists(
    st.builds(
        lambda number, action, subject, group: statement(number, f"{action} {subject}", group),
        st.integers(1, 999), st.sampled_from([str(action) for action in Action]), st.sampled_from(SUBJECTS),
        st.sampled_from([None, "lab"]),
    ),
    max_size=5, unique_by=lambda one: one.id,
)  # fmt: skip


def any_override(kind: OverrideKind, number: int, subjects: list[str], scope: str, hours: int) -> Override:
    """Return one that can be: a grant is for one client, and only a pause may be about everything."""
    if kind is OverrideKind.GRANT:
        scope = "client"
    if not subjects and kind is not OverrideKind.PAUSE:
        subjects = ["ai"]
    return Override(
        kind, number, tuple(map(Subject.from_text, subjects)), NOW + timedelta(hours=hours),
        client=INSIDE if scope == "client" else None, group="lab" if scope == "lab" else None,
    )  # fmt: skip


overrides_too = st.lists(
    st.builds(
        any_override, st.sampled_from(OverrideKind), st.integers(1, 999),
        st.lists(st.sampled_from(SUBJECTS), max_size=2, unique=True),
        st.sampled_from(["all", "lab", "client"]), st.sampled_from([-1, 1, 2]),
    ),
    max_size=5, unique_by=lambda one: one.id,
)  # fmt: skip


def naive(ordinary, name: str, client: str, overrides: list[Override]) -> str:
    """The documented order, by hand."""

    def is_for(one: Override) -> bool:
        return one.client in (None, client) and (one.group is None or client == INSIDE) and one.ends > NOW

    def reaches(one: Override) -> bool:
        subjects = {str(subject) for subject in one.subjects}
        if one.kind is OverrideKind.GRANT:
            return ordinary.action is Action.COACH and ordinary.subject in subjects
        return not subjects or bool(subjects & REACH[name])

    acting = [one.kind.value for one in overrides if is_for(one) and reaches(one)]
    if "lockdown" in acting:
        return "block"
    return "monitor" if acting and ordinary.action >= Action.COACH else str(ordinary.action)


@settings(max_examples=400)
@given(said, overrides_too, st.sampled_from(NAMES), st.sampled_from([INSIDE, OUTSIDE]), st.booleans())
def test_order_of_overrides_is_the_documented_one(statements, overrides, name, client, explain):
    feeds: list[FeedRules] = [listed("ours", "listed.example")]
    index = NameIndex.from_rules(feeds, VENDORS, (), WAYS)
    ordinary = decide(Policy(index, statements, [LAB], BlockAnswer(), 1), name, client)
    policy = Policy(index, statements, [LAB], BlockAnswer(), 1, overrides=overrides)
    verdict = decide(policy, name, client, explain=explain)
    assert str(verdict.action) == naive(ordinary, name, client, overrides)
    if verdict.override is None:
        assert (verdict.action, verdict.subject, verdict.statement) == (
            ordinary.action, ordinary.subject, ordinary.statement,
        )  # fmt: skip
    else:
        assert policy.override(verdict.override) in overrides
    assert decide(
        Policy(index, statements, [LAB], BlockAnswer(), 1, overrides=overrides[::-1]), name, client
    ) == decide(policy, name, client)
