"""R-L10: expressions of lists run on an engine whose time is linear in the name."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.pattern import PatternSet, check_expression


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(a", "missing"),
        ("(?<=a)b", "invalid perl operator"),
        ("(a)\\1", "invalid escape"),
        ("a{2000}", "repetition"),
        ("a" * 5000, "longer than"),
        ("((a{100}){10}){10}", "pattern too large|repetition"),
    ],
)
def test_what_the_engine_does_not_take_is_refused(expression, why):
    with pytest.raises(PolicyError, match=why):
        check_expression(expression)


def test_nested_quantifiers_are_harmless():
    """R-L10: the expression that froze a process under Python's `re`."""
    check_expression("^(a+)+$")
    patterns = PatternSet(["^(a+)+$", "^(a|aa)+$", "(.*)*x"])
    began = time.perf_counter()
    assert patterns.search("a" * 250 + "!") == []
    assert time.perf_counter() - began < 1


def test_each_expression_that_is_found_is_named():
    patterns = PatternSet(["^ads", "track", "^ads.*net$", "nothing"])
    assert patterns.search("ads.tracker.net") == [0, 1, 2]
    assert patterns.search("www.example.org") == []


def test_case_makes_no_difference():
    assert PatternSet(["^ADS\\."]).search("ads.example") == [0]


def test_many_expressions_keep_their_numbers():
    patterns = PatternSet([f"^host{n}\\." for n in range(300)])
    assert patterns.search("host257.example") == [257]
    assert patterns.search("host1.example") == [1]


def test_named_groups_of_different_rows_do_not_meet():
    assert PatternSet(["(?P<a>x)y", "(?P<a>z)"]).search("z.xy") == [0, 1]


def test_quoting_does_not_swallow_the_next_expression():
    patterns = PatternSet(["a1", "b2", "\\Qc.3", "d4", "\\Qe5"])
    assert patterns.search("c.3") == [2]
    assert patterns.search("d4.b2") == [1, 3]
    assert patterns.search("e5") == [4]


def test_expressions_that_are_too_large_together_are_searched_apart():
    big = [f"{mark}[a-z]{{1000}}{n}" for n in range(20) for mark in "xyz"]
    for expression in big:
        check_expression(expression)
    patterns = PatternSet([*big, "^plain$"])
    assert patterns.search("plain") == [60]


def test_no_expression_at_all():
    assert PatternSet([]).search("example.org") == []


@given(st.lists(st.from_regex(r"\^?[ab.]{1,4}(\[ab\]\+|\(a\|b\)\*|\\Q\.)?\$?", fullmatch=True), max_size=12))
def test_set_finds_what_each_alone_finds(expressions):
    name = "ab.ba.aab"
    alone = [n for n, one in enumerate(expressions) if PatternSet([one]).search(name)]
    assert PatternSet(expressions).search(name) == alone
