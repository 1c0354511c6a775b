import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.key import key_from_text, wire_from_text
from sinkhole.protocol.names import name_from_text, reversed_key


def test_key_has_labels_in_reverse():
    assert key_from_text("www.Example.org") == b"\x03org\x07example\x03www"


def test_final_dot_is_ignored():
    """R-B05: a final dot makes no difference."""
    assert key_from_text("example.org.") == key_from_text("example.org")


def test_idn_becomes_its_alabel():
    """R-B05: rules written with letters outside ASCII match their A-label."""
    assert key_from_text("bücher.example") == key_from_text("xn--bcher-kva.example")


def test_escapes_are_understood():
    assert key_from_text("a\\.b.example") == b"\x07example\x03a.b"


@pytest.mark.parametrize("text", ["", "a..b", ".a", "x" * 64 + ".example", ".".join(["x" * 60] * 5), "a\\999.example"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(PolicyError, match="is not a name"):
        key_from_text(text)


def test_root_is_too_wide():
    with pytest.raises(PolicyError, match="too wide"):
        wire_from_text(".")


def test_longest_name_is_taken():
    text = ".".join(["x" * 61] * 4) + ".abcd"
    assert len(name_from_text(text)) == 254
    assert key_from_text(text + "e") == reversed_key(name_from_text(text + "e"))


@given(st.from_regex(r"([A-Za-z0-9_-]{1,20}\.){0,5}[A-Za-z]{1,10}", fullmatch=True))
def test_fast_and_general_readers_agree(text):
    assert key_from_text(text) == reversed_key(name_from_text(text))


@given(st.text(max_size=300))
def test_any_text_is_a_key_or_a_policy_error(text):
    try:
        key = key_from_text(text)
    except PolicyError:
        return
    assert 0 < len(key) < 255
