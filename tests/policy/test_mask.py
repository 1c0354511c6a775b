"""R-L04: `||a^`, `|a^`, `a|`, `*.a` and masks mean what they mean to AdGuard."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.mask import compile_mask
from sinkhole.policy.rule import Match


@pytest.mark.parametrize(
    ("mask", "simple"),
    [
        ("||Example.org^", (Match.SUFFIX, "example.org")),
        ("||example.org|", (Match.SUFFIX, "example.org")),
        ("||example.org^|", (Match.SUFFIX, "example.org")),
        ("||example.org^*", (Match.SUFFIX, "example.org")),
        ("|example.org^", (Match.EXACT, "example.org")),
        ("|example.org|", (Match.EXACT, "example.org")),
        ("*.example.org^", (Match.BELOW, "example.org")),
        ("||*.example.org^", (Match.BELOW, "example.org")),
        ("||ads*.example.org^", None),
        ("||example.org", None),
        ("example.org^", None),
        ("||.example.org^", None),
        ("||^", None),
        ("*", None),
        ("", None),
    ],
)
def test_plain_masks_are_plain_rules(mask, simple):
    assert compile_mask(mask).simple == simple


@pytest.mark.parametrize(
    ("mask", "below"),
    [
        ("||ads*.example.org^", "example.org"),
        ("*ads.example.org^", "example.org"),
        ("ads.example.org|", "example.org"),
        ("||ads.*.example.org^", "example.org"),
        ("||example.org^", "example.org"),
        ("||ads*org^", None),
        ("||ads.example.*", None),
        ("||ads*", None),
        ("*", None),
        ("||a*.b^c.example^", None),
    ],
)
def test_definite_suffix_is_found(mask, below):
    assert compile_mask(mask).below == below


@pytest.mark.parametrize(
    ("mask", "hits", "misses"),
    [
        ("||ads.example.org^", ["ads.example.org", "x.ads.example.org"], ["xads.example.org", "ads.example.org.net"]),
        ("|ads.example.org^", ["ads.example.org"], ["x.ads.example.org"]),
        ("ads.example.org|", ["ads.example.org", "xads.example.org"], ["ads.example.org.net"]),
        ("*.example.org^", ["a.example.org", "a.b.example.org"], ["example.org", "xexample.org"]),
        ("||ads*.example.org^", ["ads1.example.org", "x.ads.y.example.org"], ["1ads.example.org", "ads.example.net"]),
        ("||ads.", ["ads.example.org", "www.ads.example"], ["myads.example.org"]),
        ("||example.org", ["example.org", "example.organic.example"], ["myexample.org"]),
        ("ads", ["myads.example", "ads"], ["a.ds"]),
        ("a^b", [], ["a.b", "ab", "a-b", "a_b"]),
        ("||a+b(.example^", ["a+b(.example"], ["aab.example"]),
    ],
)
def test_expression_matches_as_adguard_does(mask, hits, misses):
    expression = compile_mask(mask).expression
    assert [name for name in (*hits, *misses) if re2.search(expression, name)] == hits


@given(st.text(alphabet="|^*.abé(\\+", max_size=12), st.from_regex(r"[ab]{1,3}(\.[ab]{1,3}){0,3}", fullmatch=True))
def test_expression_simple_rule_and_suffix_agree(mask, name):
    """Whatever the index makes of a mask, it finds the same names as the expression."""
    compiled = compile_mask(mask)
    is_hit = re2.search(compiled.expression, name) is not None
    if compiled.simple:
        match, parent = compiled.simple
        is_below = name.endswith("." + parent)
        assert (
            is_hit
            == {
                Match.SUFFIX: is_below or name == parent,
                Match.EXACT: name == parent,
                Match.BELOW: is_below,
            }[match]
        )
    if compiled.below and is_hit:
        assert name == compiled.below or name.endswith("." + compiled.below)
