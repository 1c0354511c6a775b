"""What no remote list may take."""

import pytest

from sinkhole.feeds.guard import Guard
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


@pytest.mark.parametrize(
    ("network", "taken"),
    [
        ("203.0.113.0/24", "203.0.113.80"),
        ("203.0.113.80/32", "203.0.113.80"),
        ("2001:db8::/32", "2001:db8::80"),
        ("203.0.114.0/24", None),
    ],
)
def test_own_addresses_are_objected_to(network: str, taken: str | None) -> None:
    """An answer that leads to our own block page, or an upstream, is not to be taken by a list."""
    guard = Guard(addresses=["203.0.113.80", "2001:db8::80"]).with_hosts(["lists.example.org"])
    objection = guard.objection(Rule(Match.ADDRESS, network))
    assert objection == (taken and f"protected: it would block {taken}, which this server answers with or asks")
    assert guard.objection(Rule(Match.ADDRESS, network, RuleAction.ALLOW)) is None
