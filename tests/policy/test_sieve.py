"""The sieve lets nothing fall through that one of its words is in."""

import string

from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.sieve import Sieve

LIKENESS = bytes.maketrans(b"01i", b"oll")
LETTERS = (string.ascii_lowercase + string.digits).encode()


def words():
    return st.lists(st.sampled_from(LETTERS), min_size=1, max_size=6).map(bytes)


def plain_sieve(of):
    """A sieve in which each octet is taken for itself."""
    return Sieve(of, bytes(range(256)), ())


@given(words(), st.lists(words(), max_size=5), st.binary(max_size=8), st.binary(max_size=8))
def test_every_text_with_a_word_passes(word, others, before, behind):
    assert plain_sieve([*others, word]).passes(before + word + behind)


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
