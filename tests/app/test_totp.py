"""The second factor: by the examples of the RFCs."""

import base64
from datetime import UTC, datetime

import pytest

from sinkhole.app.totp import (
    hotp,
    new_recovery_codes,
    new_totp_secret,
    plain_recovery_code,
    step_of,
    totp_uri,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_codes_of_rfc_4226(counter, code):
    """RFC 4226, appendix D."""
    assert hotp(SECRET, counter) == code


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_codes_of_rfc_6238(seconds, code):
    """RFC 6238, appendix B, SHA-1."""
    assert hotp(SECRET, seconds // 30, 8) == code


def test_clock_may_be_off_by_one_step():
    """RFC 6238, section 5.2."""
    now = datetime.fromtimestamp(1111111109, UTC)
    step = 1111111109 // 30
    codes = {ahead: hotp(SECRET, step + ahead) for ahead in (-2, -1, 0, 1, 2)}
    assert [step_of(SECRET, codes[ahead], now) for ahead in (-1, 0, 1)] == [step - 1, step, step + 1]
    assert [step_of(SECRET, codes[ahead], now) for ahead in (-2, 2)] == [None, None]
    assert step_of(SECRET, f"{codes[0][:3]} {codes[0][3:]}", now) == step
    assert [step_of(SECRET, text, now) for text in ("", "x", "\u0661" * 6, codes[0] + "0")] == [None] * 4


def test_secrets_and_codes_are_new_each_time():
    assert len(base64.b32decode(new_totp_secret())) == 20
    codes = {*new_recovery_codes(), *new_recovery_codes()}
    assert len(codes) == 20
    assert all(plain_recovery_code(code.upper().replace("-", " ")) == code for code in codes)


def test_uri_names_the_account():
    assert totp_uri("ABC", "a b@x") == "otpauth://totp/Sinkhole:a%20b%40x?secret=ABC&issuer=Sinkhole"
