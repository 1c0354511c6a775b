"""Codes of the second factor: TOTP (RFC 6238) over HOTP (RFC 4226) with SHA-1, six digits, 30 seconds.

These are the values that every authenticator app takes; others are ignored by some of them.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP = 30
DIGITS = 6
_SECRET_OCTETS = 20
_DRIFT = 1
"""Steps that a clock may be off, in both directions (RFC 6238, section 5.2)."""
_CODES = 10
_CODE_OCTETS = 10


def new_totp_secret() -> str:
    """Return a new secret, in base32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_OCTETS)).decode("ascii")


def totp_uri(secret: str, account: str) -> str:
    """Return what an authenticator app reads, often as a QR code."""
    label = quote(f"Sinkhole:{account}", safe=":")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': 'Sinkhole'})}"


def hotp(secret: str, counter: int, digits: int = DIGITS) -> str:
    """Return the code of a counter (RFC 4226, section 5.3)."""
    digest = hmac.new(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step whose code this is, of those near `now`; None where it is of none."""
    current = int(now.timestamp()) // STEP
    given = code.replace(" ", "").encode("utf-8", "replace")
    found = None
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        if hmac.compare_digest(hotp(secret, step).encode(), given):
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Return new codes, each good for one log-in without the app: 80 bits, in groups of four."""
    raw = (base64.b32encode(secrets.token_bytes(_CODE_OCTETS)).decode("ascii").lower() for _ in range(_CODES))
    return tuple("-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in raw)


def plain_recovery_code(text: str) -> str:
    """Return a recovery code as it was made, however it was typed."""
    code = "".join(c for c in text.lower() if c.isascii() and c.isalnum())
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
