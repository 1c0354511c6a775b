"""One expression for many words."""

from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.word_search import any_of


def test_longest_word_at_a_place_is_found():
    expression = any_of([b"run", b"runway", b"runwayml", b"poe"])
    assert expression.findall(b"runwaym runwaymlx run poet") == [b"runway", b"runwayml", b"run", b"poe"]


def test_no_words_are_never_found():
    assert any_of([]).search(b"") is None


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=8), st.binary(max_size=20))
def test_what_is_found_is_what_is_there(words, text):
    assert (any_of(words).search(text) is not None) is any(word in text for word in words)
