"""Slips of the finger: what is near a brand, and how near."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.typos import Slip, Typos, distance

TYPOS = Typos([b"deepseek", b"openai", b"openrouter", b"qwen"], [b"get", b"my"], [b"ai", b"login"], [b"deepseed"])


def slips(text: bytes) -> list[tuple[bytes, int]]:
    return [(slip.token, slip.distance) for slip in TYPOS.find(text)]


@pytest.mark.parametrize(
    "word", [b"deepsek", b"deeepseek", b"deepsexk", b"depeseek", b"eepseek", b"dedpseek", b"deepseekk", b"deespeek"]
)
def test_one_letter_left_out_added_changed_or_swapped_is_a_slip(word):
    assert (b"deepseek", 1) in slips(word)
    assert TYPOS.has_slip(word)


def test_two_slips_count_for_a_long_brand_whose_start_stands():
    assert slips(b"openruterr") == [(b"openrouter", 2)]
    assert slips(b"openroutr") == [(b"openrouter", 1)]
    assert slips(b"opnruter") == []
    assert slips(b"deepsk") == []


@pytest.mark.parametrize("word", [b"deepseek", b"deepseed", b"qwne", b"keepsake", b"xxxdeepsekxxx", b""])
def test_the_brand_itself_innocents_and_other_words_are_no_slips(word):
    assert slips(word) == []
    assert not TYPOS.has_slip(word)


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        (b"deepseklogin", b"login"),
        (b"getdeepsek", b""),
        (b"deep-sek", b""),
        (b"x2deepsek2025", b""),
        (b"my-deepsek-ai", b""),
    ],
)
def test_slips_are_found_within_a_text(text, beside):
    assert Slip(b"deepseek", b"deepsek", 1, beside) in list(TYPOS.find(text))


def test_swap_that_touches_both_ends_of_a_short_brand_is_found():
    assert slips(b"opneai") == [(b"openai", 1)]


@pytest.mark.parametrize(
    ("word", "is_clear"),
    [
        (b"opneai", True),
        (b"openia", True),
        (b"oppenai", True),
        (b"openaii", True),
        (b"opemai", False),
        (b"opnai", False),
    ],
)
def test_swapped_and_doubled_letters_are_clear_by_themselves(word, is_clear):
    assert {slip.is_clear for slip in TYPOS.find(word)} == {is_clear}


def test_two_slips_are_never_clear_by_themselves():
    assert [slip.is_clear for slip in TYPOS.find(b"openrotuerr")] == [False]


def by_table(one: bytes, other: bytes) -> int:
    """The textbook's table of the optimal string alignment distance."""
    rows = [[max(x, y) if 0 in (x, y) else 0 for x in range(len(other) + 1)] for y in range(len(one) + 1)]
    for y in range(1, len(one) + 1):
        for x in range(1, len(other) + 1):
            same = one[y - 1] == other[x - 1]
            rows[y][x] = min(rows[y - 1][x] + 1, rows[y][x - 1] + 1, rows[y - 1][x - 1] + (not same))
            if y > 1 and x > 1 and one[y - 1] == other[x - 2] and one[y - 2] == other[x - 1]:
                rows[y][x] = min(rows[y][x], rows[y - 2][x - 2] + 1)
    return rows[-1][-1]


words = st.text("abc", max_size=8).map(str.encode)


@given(words, words, st.integers(0, 2))
def test_distance_is_that_of_the_textbook_up_to_the_limit(one, other, limit):
    assert distance(one, other, limit) == min(by_table(one, other), limit + 1)


@given(st.binary(max_size=255))
def test_any_text_can_be_searched(text):
    assert TYPOS.has_slip(text) is bool(list(TYPOS.find(text)))
