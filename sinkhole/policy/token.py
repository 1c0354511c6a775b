"""Tokens of the block page: proof that a notice was shown to a client, which it hands back to go on.

A token vouches for address, subject, statement and time, by an HMAC-SHA256 (RFC 2104) under a key that never leaves the
server. It carries all of these but the address, which is that of whoever hands it back: a token taken from elsewhere
does not fit.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from sinkhole.errors import PolicyError

LIFE = 600
"""Seconds from the notice until a token is void."""
MAX_CHARACTERS = 1000
_EARLY = 5
"""Seconds by which the clock may have been set back since."""


class TokenError(PolicyError):
    """A token is forged, of another client, void or none at all; the text does not say which part is wrong."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What was shown: to which client (an address), about which subject, by which statement, when (epoch seconds)."""

    client: str
    subject: str
    statement: int
    shown: int


def write_token(key: bytes, notice: Notice) -> str:
    """Return the token of a notice: text that can stand in a URL."""
    carried = f"{notice.shown}.{notice.statement}.{_encode(notice.subject.encode())}"
    return f"{carried}.{_encode(_seal(key, carried, notice.client))}"


def read_token(key: bytes, token: str, client: str, now: float) -> Notice:
    """Return the notice that a token proves.

    Args:
        client: address of who hands it back, written as when it was made.
        now: epoch seconds.

    Raises:
        TokenError: it proves nothing.
    """
    if len(token) > MAX_CHARACTERS or not token.isascii():
        raise TokenError("the token is none of ours")
    carried, _, seal = token.rpartition(".")
    if not hmac.compare_digest(_encode(_seal(key, carried, client)).encode(), seal.encode()):
        raise TokenError("the token is none of ours, or is another client's")
    notice = _read(carried, client)
    if not notice.shown - _EARLY <= now < notice.shown + LIFE:
        raise TokenError("the token is too old; read the notice again")
    return notice


def digest_of(token: str) -> str:
    """Return what a used token is remembered by; of it no token can be made."""
    return hashlib.sha256(token.encode()).hexdigest()


def _seal(key: bytes, carried: str, client: str) -> bytes:
    return hmac.digest(key, f"coach {client} {carried}".encode(), "sha256")


def _read(carried: str, client: str) -> Notice:
    """Read what we sealed ourselves, so its form is ours."""
    shown, statement, subject = carried.split(".")
    return Notice(client, urlsafe_b64decode(f"{subject}==").decode(), int(statement), int(shown))


def _encode(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")
