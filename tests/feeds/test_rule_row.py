"""Rows of a snapshot."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FeedError
from sinkhole.feeds.rule_row import read_key, read_row, rule_key
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction

TEXT = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
QTYPES = st.lists(st.integers(0, 65535), max_size=3).map(tuple)
RULES = st.builds(
    Rule,
    match=st.sampled_from(Match),
    name=TEXT,
    action=st.sampled_from(RuleAction),
    important=st.booleans(),
    condition=st.none() | st.builds(Condition, st.none() | QTYPES, QTYPES, TEXTS, TEXTS),
    rewrite=st.none() | TEXT,
    disables=st.booleans(),
    line=st.integers(0, 10**7),
)


@given(RULES)
def test_rule_is_read_back_as_it_was(rule: Rule) -> None:
    row = f"{rule.line}\t{rule_key(rule)}\n"
    assert row.count("\n") == 1
    assert read_row(row.encode()) == rule


@given(RULES, RULES)
def test_keys_are_equal_when_all_but_the_line_is(one: Rule, other: Rule) -> None:
    same = read_key(rule_key(one)) == read_key(rule_key(other))
    assert (rule_key(one) == rule_key(other)) == same


def test_plain_row_is_short() -> None:
    assert rule_key(Rule(Match.SUFFIX, "example.org", line=7)) == "sb\t\texample.org"


@given(st.binary(max_size=60))
def test_anything_else_is_a_documented_error(row: bytes) -> None:
    with contextlib.suppress(FeedError):
        assert isinstance(read_row(row), Rule)


@pytest.mark.parametrize(
    "row", [b"", b"x\tsb\t\ta", b"1\tzz\t\ta", b"1\tsb\t[]\ta", b"1\tsb\t{\ta", b"1\tsb\t\xff", b"1\tsb"]
)
def test_broken_row_is_an_error(row: bytes) -> None:
    with pytest.raises(FeedError, match="not a row of a snapshot"):
        read_row(row)
