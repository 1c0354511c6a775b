import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy import row
from sinkhole.policy.rule import Condition, Match, Rejection, Rule, RuleAction

conditions = st.builds(
    Condition,
    qtypes=st.none() | st.tuples(st.integers(0, 65535)),
    not_qtypes=st.tuples() | st.tuples(st.integers(0, 65535)),
    clients=st.tuples() | st.tuples(st.text()),
    denyallow=st.tuples() | st.tuples(st.text()),
)
PACKED = tuple(match for match in Match if match is not Match.ADDRESS)
"""Rules about addresses are kept elsewhere."""
rules = st.builds(
    Rule,
    match=st.sampled_from(PACKED),
    name=st.text(),
    action=st.sampled_from(RuleAction),
    important=st.booleans(),
    condition=st.none() | conditions,
    rewrite=st.none() | st.text(),
    disables=st.booleans(),
    line=st.integers(0, 2**32 - 1),
)


@given(rules)
def test_rule_survives_json(rule):
    assert row.rule_from_json(row.rule_to_json(rule)) == rule


@given(rules.filter(lambda rule: not row.needs_detail(rule)), st.integers(2, 0xFFFF))
def test_plain_rule_survives_packing(rule, source):
    packed = row.pack_rule(source, rule, None)
    assert packed < 2**64
    assert row.source_of(packed) == source
    assert not row.is_detailed(packed)
    assert row.unpack_rule(packed, rule.name) == rule


@given(rules, st.integers(0, 2**32 - 1))
def test_packed_detail_keeps_match_and_index(rule, index):
    packed = row.pack_rule(2, rule, index)
    assert row.is_detailed(packed)
    assert row.value_of(packed) == index
    assert PACKED[row.match_of(packed)] is rule.match


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (Match.EXACT, "x.example"),
        (Match.SUFFIX, "x.example and below"),
        (Match.BELOW, "below x.example"),
        (Match.MASK, "x.example"),
        (Match.REGEX, "/x.example/"),
        (Match.ADDRESS, "x.example"),
    ],
)
def test_rule_in_words(match, text):
    assert row.rule_text(Rule(match, "x.example")) == text


def test_rejection_in_words():
    assert str(Rejection(3, 7, "too wide", "||com^")) == "line 3, column 7: too wide"
