"""`check` shows what else matched, and why it lost."""

from datetime import timedelta

import pytest

from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import Verdict
from tests.policy.world import NOW, decide, domain, listed, make_policy, product, statement, vendor

STAFF = Group("staff", ("192.0.2.0/24",))
EXCEPTION = Rule(Match.SUFFIX, "x.example", RuleAction.ALLOW, line=9)


def losers(verdict: Verdict) -> list[str]:
    return [f"{lost.action} {lost.subject} ({lost.scope}): {lost.why}" for lost in verdict.losers]


def explain(name: str, *args: object, said: list[Statement | str], **options: object) -> list[str]:
    policy = make_policy(said, *args, **options)  # type: ignore[arg-type]
    explained, plain = decide(policy, name, explain=True), decide(policy, name)
    assert plain.losers == ()
    assert (explained.action, explained.statement, explained.feed) == (plain.action, plain.statement, plain.feed)
    return losers(explained)


def test_more_specific_subject():
    assert explain("deepseek.example", said=["block ai", "allow vendor:deepseek", "block domain:example"]) == [
        "allow vendor:deepseek (all): domain:example is more specific",
        "block ai (all): domain:example is more specific",
    ]


def test_more_specific_scope_and_stricter_action():
    said = ["allow ai for staff", "block ai", "monitor ai for staff", "monitor ai for staff"]
    assert explain("deepseek.example", said=said, groups=[STAFF]) == [
        "monitor ai (group:staff): says the same as statement 3",
        "allow ai (group:staff): monitor goes before allow",
        "block ai (all): scope group:staff is more specific than all",
    ]


def test_expired():
    said = [statement(1, "allow vendor:deepseek", expires=NOW - timedelta(days=1)), "block ai"]
    assert explain("deepseek.example", said=said) == ["allow vendor:deepseek (all): expired 2026-11-23 12:00 UTC"]
    assert explain("deepseek.example", said=said[:1]) == ["allow vendor:deepseek (all): expired 2026-11-23 12:00 UTC"]


@pytest.mark.parametrize(
    ("schedule", "expires", "why"),
    [
        ("mon-fri 08:00-12:00 @Europe/Berlin", None, "outside its schedule (next: 2026-11-25 08:00 CET)"),
        ("2026-11-23 08:00-12:00 @Europe/Berlin", None, "outside its schedule (next: never)"),
        ("08:00-12:00 @UTC", NOW + timedelta(days=2), "outside its schedule (next: 2026-11-25 08:00 UTC)"),
        ("08:00-12:00 @UTC", NOW + timedelta(hours=2), "outside its schedule (next: never)"),
        ("08:00-18:00 @UTC", NOW, "expired 2026-11-24 12:00 UTC"),
        ("08:00-18:00 @UTC", None, "vendor:deepseek is more specific"),
    ],
)
def test_outside_its_schedule(schedule, expires, why):
    lost = statement(1, "block category:chat", schedule=schedule_from_text(schedule), expires=expires)
    assert explain("deepseek.example", said=[lost, statement(2, "allow vendor:deepseek")]) == [
        f"block category:chat (all): {why}"
    ]


def test_statements_that_differ_by_their_schedule():
    said = [
        statement(1, "allow ai", schedule=schedule_from_text("11:00-13:00 @UTC")),
        statement(2, "block ai", schedule=schedule_from_text("08:00-12:30 @UTC")),
        statement(3, "block ai", schedule=schedule_from_text("13:00-14:00 @UTC")),
    ]
    assert explain("deepseek.example", said=said) == [
        "block ai (all): outside its schedule (next: 2026-11-24 13:00 UTC)",
        "allow ai (all): block goes before allow",
    ]


def test_statement_that_two_rows_lead_to_is_told_once():
    feeds = (listed("one", "x.example", part_of_ai=True), listed("two", "x.example", part_of_ai=True))
    assert explain("x.example", *feeds, said=["block ai", "monitor domain:x.example", "block feed:two"]) == [
        "block feed:one (none): no statement is about feed:one",
        "block feed:two (all): domain:x.example is more specific",
        "block ai (all): domain:x.example is more specific",
    ]


def test_protected_name():
    name = "status.deepseek.example"
    assert explain(name, listed("one", name), said=["block ai", "block feed:one"]) == [
        "block product:deepseek/chat (none): the name is protected",
        "block feed:one (none): the name is protected",
    ]


def test_less_specific_domain_of_the_catalogue():
    assert explain("api.deepseek.example", said=["block ai"]) == [
        "block product:deepseek/chat (none): a more specific domain of the catalogue matches"
    ]
    rows = vendor("v", product("v/p", domain("cloud.example")))
    assert explain("notes.cloud.example", said=["block ai"]) == []
    assert explain("notes.cloud.example", said=["block ai"], vendors=[rows]) == [
        "block product:v/p (none): the name is protected"
    ]


def test_exceptions_of_lists():
    one, two = listed("one", "x.example", EXCEPTION), listed("two", "x.example")
    assert explain("x.example", one, two, said=["block feed:one", "block feed:two"]) == [
        "allow feed:one (none): is an exception, which lifts rows of its own list alone"
    ]
    own = listed("own", EXCEPTION, local=True)
    assert explain("x.example", own, two, said=["block feed:own", "block feed:two"]) == [
        "allow feed:own (none): is an exception, which lifts what lists say",
        "block feed:two (none): lifted by x.example and below of feed:own",
    ]


def test_name_that_nothing_knows_has_no_losers():
    assert explain("example.org", said=["block ai"]) == []
    assert explain("x.example", said=["block ai", "block domain:x.example"]) == []
