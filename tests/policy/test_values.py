"""Subjects, actions, statements and hits in text."""

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.hit import HitRow
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
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
    assert [str(Action.from_text(word)) for word in ("allow", "Monitor", "BLOCK")] == ["allow", "monitor", "block"]
    with pytest.raises(ValueError, match="coach"):
        Action.from_text("coach")


def test_scope_in_text():
    assert statement(1, "block ai").scope == "all"
    assert statement(1, "block ai", "staff").scope == "group:staff"


def test_hit_row_survives_json():
    row = HitRow(
        29_000_000, "192.0.2.1", None, "x.example", 1, "block", "v", "v/p", None, "ai", 3, 1_740_000_000, 1_740_000_030
    )
    assert HitRow.from_json_row(row.to_json_row()) == row
    with pytest.raises(PolicyError, match="13 fields"):
        HitRow.from_json_row([1])


def test_extent_of_a_statement_is_its_scope_and_its_schedule():
    schedule = schedule_from_text("22:00-06:00 @UTC")
    made = [statement(1, "block ai", group, schedule=times) for group in (None, "staff") for times in (None, schedule)]
    assert [one.extent for one in made] == [
        "all", "all, 22:00-06:00 @UTC", "group:staff", "group:staff, 22:00-06:00 @UTC",
    ]  # fmt: skip
