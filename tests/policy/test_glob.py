"""Globs of host names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.glob import glob_matches, globs_meet, literals_of


@pytest.mark.parametrize(
    ("glob", "name", "is_match"),
    [
        ("pc.lab.example", "pc.lab.example", True),
        ("pc.lab.example", "pc.lab.example.org", False),
        ("*.lab.example", "pc.lab.example", True),
        ("*.lab.example", "a.b.lab.example", True),
        ("*.lab.example", "lab.example", False),
        ("*.lab.example", "pc.lab.example.org", False),
        ("pc*.example", "pc7.lab.example", True),
        ("pc*7*.example", "pc17.example", True),
        ("pc*7*.example", "pc1.example", False),
        ("*", "anything", True),
        ("a*a", "a", False),
        ("ab*ba", "aba", False),
    ],
)
def test_glob(glob, name, is_match):
    assert glob_matches(glob, name) is is_match


def test_literals():
    assert [literals_of(glob) for glob in ("pc.example", "*.example", "*")] == [10, 8, 0]


@pytest.mark.parametrize(
    ("one", "other", "do_meet"),
    [
        ("a.example", "a.example", True),
        ("a.example", "b.example", False),
        ("*.example", "b.example", True),
        ("*.lab.example", "pc*", True),
        ("*.lab.example", "*.office.example", False),
        ("*a*", "*b*", True),
        ("a*", "b*", False),
        ("*", "*", True),
        ("x*", "x", True),
    ],
)
def test_globs_meet(one, other, do_meet):
    assert globs_meet(one, other) is do_meet
    assert globs_meet(other, one) is do_meet


globs = st.text("ab*", min_size=1, max_size=6)
names = st.text("ab", max_size=6)


@given(globs, names)
def test_glob_is_as_an_expression_says(glob, name):
    assert glob_matches(glob, name) is bool(re.fullmatch(glob.replace("*", ".*"), name))


@given(globs, globs, names)
def test_globs_that_stand_for_one_name_meet(one, other, name):
    if glob_matches(one, name) and glob_matches(other, name):
        assert globs_meet(one, other)


def test_hostile_globs_take_no_time():
    assert not globs_meet("*a" * 120 + "b", "*a" * 120 + "c")
    assert not glob_matches("*a" * 120 + "*b", "a" * 250)
