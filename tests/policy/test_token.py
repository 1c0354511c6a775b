"""Tokens of the block page: what proves that a notice was shown, and what does not."""

import hashlib
import hmac
import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sinkhole.policy.token import LIFE, Notice, TokenError, digest_of, read_token, write_token

KEY = b"k" * 32
NOTICE = Notice("192.0.2.7", "vendor:deepseek", 12, 1_800_000_000)
NOW = float(NOTICE.shown)
TOKEN = write_token(KEY, NOTICE)


def test_token_proves_its_notice():
    assert read_token(KEY, TOKEN, NOTICE.client, NOW + 30) == NOTICE


def test_seal_is_an_hmac_over_all_of_it():
    """RFC 2104, computed here by the standard library from what is documented."""
    carried, _, seal = TOKEN.rpartition(".")
    assert carried.split(".")[:2] == ["1800000000", "12"]
    digest = hmac.new(KEY, f"coach 192.0.2.7 {carried}".encode(), hashlib.sha256).digest()
    assert seal == urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize(
    "subject", ["ai", "domain:" + "a" * 60 + "." + "b" * 60 + ".example", "address:2001:db8::/32", "f:é"]
)
def test_any_subject_survives_and_the_token_can_stand_in_a_url(subject):
    notice = Notice("2001:db8::7", subject, 2**31, 1)
    token = write_token(KEY, notice)
    assert read_token(KEY, token, "2001:db8::7", 2) == notice
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")


@pytest.mark.parametrize("client", ["192.0.2.8", "2001:db8::7", "", "192.0.2.7 "])
def test_token_of_another_client(client):
    with pytest.raises(TokenError, match="another client's"):
        read_token(KEY, TOKEN, client, NOW)


def test_token_under_another_key():
    with pytest.raises(TokenError):
        read_token(b"x" * 32, TOKEN, NOTICE.client, NOW)


@pytest.mark.parametrize(("after", "is_good"), [(-6, False), (-5, True), (0, True), (LIFE - 1, True), (LIFE, False)])
def test_token_is_good_for_ten_minutes(after, is_good):
    assert LIFE == 600
    if is_good:
        assert read_token(KEY, TOKEN, NOTICE.client, NOW + after) == NOTICE
        return
    with pytest.raises(TokenError, match="too old"):
        read_token(KEY, TOKEN, NOTICE.client, NOW + after)


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_truncated_token(length):
    with pytest.raises(TokenError):
        read_token(KEY, TOKEN[:length], NOTICE.client, NOW)


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_token_with_one_character_changed(position):
    other = "A" if TOKEN[position] != "A" else "B"
    with pytest.raises(TokenError):
        read_token(KEY, TOKEN[:position] + other + TOKEN[position + 1 :], NOTICE.client, NOW)


@given(st.text())
@example("é" + TOKEN[1:])
@example(TOKEN + "\n")
@example("\ud800")
@example("." * 999)
@example("1" * 5000)
def test_any_text_is_a_token_error(text):
    with pytest.raises(TokenError):
        read_token(KEY, text, NOTICE.client, NOW)


def test_used_token_is_remembered_by_a_digest():
    assert digest_of(TOKEN) == hashlib.sha256(TOKEN.encode()).hexdigest()
