"""Subjects, actions, statements and hits in text."""

from dataclasses import replace

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode, Verdict
from tests.policy.world import statement


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ai", "ai"),
        ("lookalikes", "lookalikes"),
        ("unreviewed", "unreviewed"),
        ("models:deepseek", "models:deepseek"),
        ("bypass:encrypted-dns", "bypass:encrypted-dns"),
        ("domain:Example.ORG.", "domain:example.org"),
        ("jurisdiction:cn", "jurisdiction:CN"),
        ("product:openai/api", "product:openai/api"),
        ("address:192.0.2.0/24", "address:192.0.2.0/24"),
    ],
)
def test_subject_in_text(text, written):
    assert str(Subject.from_text(text)) == written


@pytest.mark.parametrize(
    "text", ["", "deepseek", "ai:x", "lookalikes:x", "unreviewed:x", "domain:", "planet:mars", "Domain:x"]
)
def test_wrong_subject_is_refused(text):
    with pytest.raises(PolicyError, match="subject is ai, lookalikes, unreviewed or one of"):
        Subject.from_text(text)


def test_kinds_are_ordered_by_specificity():
    guesses = ["UNREVIEWED", "LOOKALIKES"]
    known = ["AI", "FEED", "BYPASS", "JURISDICTION", "CATEGORY", "MODELS", "VENDOR", "PRODUCT", "DOMAIN"]
    assert [kind.name for kind in sorted(SubjectKind) if kind is not SubjectKind.ADDRESS] == guesses + known


def test_action_in_text():
    words = ("allow", "Monitor", "coach", "BLOCK")
    assert [str(Action.from_text(word)) for word in words] == ["allow", "monitor", "coach", "block"]
    with pytest.raises(ValueError, match="one of allow, monitor, coach, block; found 'deny'"):
        Action.from_text("deny")


@pytest.mark.parametrize(
    ("action", "is_blocked", "is_coached"),
    [("allow", False, False), ("monitor", False, False), ("coach", True, True), ("block", True, False)],
)
def test_what_is_answered_truly_and_what_has_a_way_on(action, is_blocked, is_coached):
    verdict = Verdict(Action.from_text(action))
    assert (verdict.is_blocked, verdict.is_coached, verdict.is_locked_down) == (is_blocked, is_coached, False)
    assert replace(verdict, override="lockdown:1").is_locked_down is is_blocked


@pytest.mark.parametrize("mode", BlockMode)
def test_answer_leads_to_the_page_where_there_is_one(mode):
    for ipv4, ipv6 in (("192.0.2.9", None), (None, "2001:db8::9"), ("192.0.2.9", "::")):
        answer = BlockAnswer(mode, ipv4, ipv6, 7, 17)
        assert answer.has_page
        assert answer.to_page() == BlockAnswer(BlockMode.ADDRESS, ipv4, ipv6, 7, 17)
    for nowhere in (BlockAnswer(mode), BlockAnswer(mode, None, None)):
        assert not nowhere.has_page
        assert nowhere.to_page() == nowhere


def test_scope_in_text():
    assert statement(1, "block ai").scope == "all"
    assert statement(1, "block ai", "staff").scope == "group:staff"


def test_extent_of_a_statement_is_its_scope_and_its_schedule():
    schedule = schedule_from_text("22:00-06:00 @UTC")
    made = [statement(1, "block ai", group, schedule=times) for group in (None, "staff") for times in (None, schedule)]
    assert [one.extent for one in made] == [
        "all", "all, 22:00-06:00 @UTC", "group:staff", "group:staff, 22:00-06:00 @UTC",
    ]  # fmt: skip
