"""Vetting: what no list may take, and how much may change at once."""

import pytest

from sinkhole.config.schema import FeedSettings
from sinkhole.feeds.vet import Count, Guard, doubts
from sinkhole.policy.rule import Match, Rule, RuleAction

GUARD = Guard(["ajax.example.com", "Time.Example.NET."], ["lists.example.org", "com.example"])


@pytest.mark.parametrize(
    ("match", "name", "taken"),
    [
        (Match.EXACT, "ajax.example.com", "ajax.example.com"),
        (Match.SUFFIX, "ajax.example.com", "ajax.example.com"),
        (Match.SUFFIX, "example.com", "ajax.example.com"),
        (Match.BELOW, "example.com", "ajax.example.com"),
        (Match.SUFFIX, "net", "time.example.net"),
        (Match.MASK, "||ajax.*.com^", "ajax.example.com"),
        (Match.MASK, "ajax", "ajax.example.com"),
        (Match.REGEX, r"^time\.", "time.example.net"),
        (Match.EXACT, "example.com", None),
        (Match.BELOW, "ajax.example.com", None),
        (Match.SUFFIX, "x.ajax.example.com", None),
        (Match.SUFFIX, "jax.example.com", None),
        (Match.SUFFIX, "xample.com", None),
        (Match.MASK, "||tracker.*.com^", None),
        (Match.REGEX, "^x", None),
    ],
)
def test_rows_as_wide_as_a_protected_name_are_objected_to(match: Match, name: str, taken: str | None) -> None:
    """R-F07: equal to it or above it; what is beside or below it is no matter."""
    objection = GUARD.objection(Rule(match, name))
    assert objection == (taken and f"protected: it would block {taken}, which is never blocked")


def test_hosts_of_lists_are_told_apart() -> None:
    """R-F07: the feeds' own hosts."""
    assert GUARD.objection(Rule(Match.SUFFIX, "lists.example.org")) == (
        "protected: it would block lists.example.org, where lists or answers are fetched from"
    )
    wider = GUARD.with_hosts(["mirror.example.org"])
    assert wider.objection(Rule(Match.EXACT, "mirror.example.org")) is not None
    assert wider.objection(Rule(Match.EXACT, "ajax.example.com")) is not None


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Match.EXACT, "ajax.example.com", RuleAction.ALLOW),
        Rule(Match.SUFFIX, "ajax.example.com", disables=True),
    ],
)
def test_rows_that_block_nothing_are_not_objected_to(rule: Rule) -> None:
    assert GUARD.objection(rule) is None


def test_empty_guard_objects_to_nothing() -> None:
    assert Guard().objection(Rule(Match.SUFFIX, "com")) is None


SETTINGS = FeedSettings()


@pytest.mark.parametrize(
    ("new", "good", "found"),
    [
        (Count(51, 0), Count(100, 0), ()),
        (Count(50, 0), Count(100, 0), ("it shrank from 100 to 50 rules",)),
        (Count(1, 0), Count(100, 0), ("it shrank from 100 to 1 rules",)),
        (Count(999, 0), Count(100, 0), ()),
        (Count(1000, 0), Count(100, 0), ("it grew from 100 to 1000 rules",)),
        (Count(1_000_000, 0), None, ()),
        (Count(100, 0), Count(0, 0), ()),
        (Count(100, 100), Count(100, 0), ()),
        (Count(100, 101), Count(100, 0), ("101 of 201 rows were rejected; is it of another format?",)),
        (Count(1, 2), None, ("2 of 3 rows were rejected; is it of another format?",)),
    ],
)
def test_large_changes_are_doubted(new: Count, good: Count | None, found: tuple[str, ...]) -> None:
    """R-F06."""
    assert doubts(new, good, SETTINGS) == found


def test_limits_of_change_are_settings() -> None:
    """R-F06: max_shrink and max_growth have effect."""
    settings = FeedSettings(max_shrink=0.1, max_growth=2)
    assert doubts(Count(90, 0), Count(100, 0), settings) == ("it shrank from 100 to 90 rules",)
    assert doubts(Count(200, 0), Count(100, 0), settings) == ("it grew from 100 to 200 rules",)
