"""What labels seem to say: A-labels, letters of other scripts, digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.policy.confusables import Reading, joined_skeleton, read_label, skeleton, unmask_digits
from sinkhole.protocol.names import labels_of, name_from_text


def read(text: str) -> Reading:
    """Read a label as a browser would send it, by the codec of Python, which checks nothing."""
    return read_label(text.encode() if text.isascii() else b"xn--" + text.encode("punycode"))


@pytest.mark.parametrize(
    ("text", "plain", "bare", "is_foreign"),
    [
        ("deepseek", b"deepseek", b"deepseek", False),
        ("dеepseek", b"d~epseek", b"deepseek", True),
        ("οpenai", b"~penai", b"openai", True),
        ("déepseek", b"d~epseek", b"deepseek", False),
        ("łuma", b"~uma", b"luma", False),
        ("ｇrok", b"~rok", b"grok", True),
        ("qwen中文", b"qwen??", b"qwen??", False),
        ("deep\u200bseek", b"deepseek", b"deepseek", False),
        ("e\u0301x", b"ex", b"ex", False),
    ],
)
def test_letters_outside_ascii_read_as_what_they_look_like(text, plain, bare, is_foreign):
    assert read(text) == Reading(plain, bare, is_foreign)


def test_name_with_an_idn_is_read_label_by_label():
    labels = labels_of(name_from_text("dеepseek.example"))
    assert read_label(labels[0]).bare == b"deepseek"


@pytest.mark.parametrize("label", [b"xn--\xff", b"xn--99999999", b"xn--a-\x80", b"xn--zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"])
def test_what_only_pretends_to_be_an_alabel_is_taken_as_it_is(label):
    assert read_label(label) == Reading(label, label, is_foreign=False)


def test_one_character_that_stands_for_many_stays_within_a_label():
    assert len(read("\ufdfa" * 10).bare) <= 63


@given(st.binary(max_size=59))
def test_any_label_can_be_read(rest):
    reading = read_label(b"xn--" + rest.lower())
    assert len(reading.plain) <= 63
    assert len(reading.bare) <= 63


@pytest.mark.parametrize(
    ("one", "other"),
    [(b"0penai", b"openal"), (b"rnidjourney", b"midjourney"), (b"deep-seek", b"d33p5eek"), (b"vvw", b"ww")],
)
def test_texts_that_look_alike_have_the_same_skeleton(one, other):
    assert skeleton(one) == skeleton(other)


def test_joiners_can_stay():
    assert joined_skeleton(b"c1aude-ai") == b"claude-al"


def test_digits_are_read_as_letters_in_every_way():
    assert unmask_digits(b"1lama") == (b"llama", b"ilama")
    assert unmask_digits(b"llama2") == ()
