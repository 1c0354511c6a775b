"""References: a short code on the page that leads an administrator to the hit, and tells nobody else anything.

A reference holds the minute of the visit and a keyed digest of name and client: 15 characters of 5 bits. Making one
needs no store, so that a flood of visits costs none.
"""

import hmac
from dataclasses import dataclass

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O and U, which are misread."""
_LENGTH = 15
_MINUTE_BITS, _NAME_BITS, _CLIENT_BITS = 28, 24, 23
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class Reference:
    """What a reference says: the minute since the epoch, and digests of the name, and of the client with the name."""

    minute: int
    name: int
    client: int

    def __str__(self) -> str:
        number = (self.minute << _NAME_BITS | self.name) << _CLIENT_BITS | self.client
        text = "".join(_DIGITS[number >> 5 * at & 31] for at in reversed(range(_LENGTH)))
        return "-".join(text[at : at + 5] for at in range(0, _LENGTH, 5))

    @classmethod
    def from_text(cls, text: str) -> "Reference":
        """Read what somebody typed or read out; raise ValueError where it is no reference."""
        typed = text.strip().upper().translate(_MISREAD)
        if len(typed) != _LENGTH or any(c not in _DIGITS for c in typed):
            raise ValueError(f"{text!r} is no reference such as 0DJ4K-9Q2MV-7TXPA")
        number = 0
        for c in typed:
            number = number << 5 | _DIGITS.index(c)
        name = number >> _CLIENT_BITS & (1 << _NAME_BITS) - 1
        return cls(number >> _NAME_BITS + _CLIENT_BITS, name, number & (1 << _CLIENT_BITS) - 1)


def reference_of(key: bytes, client: str, name: str, minute: int) -> Reference:
    """Return the reference of a visit.

    Args:
        client: as it is stored with hits.
        name: in lower case, without final dot.
        minute: whole minutes since the epoch.
    """
    return Reference(
        minute & (1 << _MINUTE_BITS) - 1, _digest(key, f"reference {name}", _NAME_BITS),
        _digest(key, f"reference {name} {client}", _CLIENT_BITS),
    )  # fmt: skip


def _digest(key: bytes, text: str, bits: int) -> int:
    return int.from_bytes(hmac.digest(key, text.encode(), "sha256")[:4], "big") >> 32 - bits
