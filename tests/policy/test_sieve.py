"""The sieve lets nothing fall through that one of its words is in."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.sieve import Sieve

LIKENESS = bytes.maketrans(b"01i", b"oll")
LETTERS = (string.ascii_lowercase + string.digits).encode()


def words():
    return st.lists(st.sampled_from(LETTERS), min_size=1, max_size=6).map(bytes)


def plain_sieve(of, size=3):
    """A sieve in which each octet is taken for itself."""
    return Sieve(of, bytes(range(256)), size=size)


@given(words(), st.lists(words(), max_size=5), st.binary(max_size=8), st.binary(max_size=8), st.sampled_from([3, 4]))
def test_every_text_with_a_word_passes(word, others, before, behind, size):
    assert plain_sieve([*others, word], size).passes(before + word + behind)


@pytest.mark.parametrize("size", [3, 4])
def test_other_octets_stand_for_the_border_of_a_word(size):
    sieve = plain_sieve([b"\0ope", b"nai\0"], size)
    for text in (b"open", b"\4open", b"x.open", b"openai\3com", b"xnai."):
        assert sieve.passes(text), text
    if size > 3:
        assert not sieve.passes(b"xopenx")
        assert not sieve.passes(b"nai")


@given(words(), st.binary(max_size=8), st.binary(max_size=8), st.sampled_from([b"-", b"rn"]))
def test_so_does_what_is_taken_for_one_and_what_may_be_in_one(word, before, behind, part):
    like = word.translate(bytes.maketrans(b"ol", b"0i"))
    sieve = Sieve([word.translate(LIKENESS)], LIKENESS, [b"-", b"rn"])
    assert sieve.passes(before + word + behind)
    assert sieve.passes(before + like + behind)
    assert sieve.passes(before + part + behind)


def test_few_others_do():
    sieve = plain_sieve([b"openai", b"claude", b"deepseek", b"mistral", b"ai"])
    names = [bytes((one, two, three, four)) for one in LETTERS[:26] for two in LETTERS[:9] for three in LETTERS[26:]
             for four in LETTERS[:9]]  # fmt: skip
    assert sum(map(sieve.passes, names)) < len(names) / 50
    assert not sieve.passes(b"")
    assert not plain_sieve([]).passes(b"openai")
