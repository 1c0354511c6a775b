"""Passwords: what is good enough, and their hashes (argon2id, RFC 9106)."""

from typing import Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from sinkhole.errors import AccessError

SHORTEST = 12
LONGEST = 128
"""Characters (OWASP ASVS 2.1.1 and 2.1.2)."""
_LEAST_DIFFERENT = 5


class Hasher(Protocol):
    """Makes and verifies hashes of passwords."""

    def hash(self, password: str) -> str:
        """Return the hash of a password."""
        ...

    def verify(self, hash: str, password: str) -> bool:  # noqa: A002 - argon2's name
        """Return True; raise argon2's errors where the password is another."""
        ...

    def check_needs_rehash(self, hash: str) -> bool:  # noqa: A002 - argon2's name
        """Return whether the hash is weaker than those that are made now."""
        ...


def argon2id() -> PasswordHasher:
    """Return the hasher: 64 MiB, 3 passes (RFC 9106, section 4), one lane, since the other cores answer queries."""
    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1, type=Type.ID)


def expect_good(password: str, account: str) -> None:
    """Refuse a password that is too easy, too long, or no text.

    Raises:
        AccessError: saying why.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"a password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    if not password.isprintable():
        raise AccessError("a password has no control characters")
    if len(set(password)) < _LEAST_DIFFERENT:
        raise AccessError(f"a password has {_LEAST_DIFFERENT} different characters or more")
    rest = password.lower().replace(account.lower(), "").replace("sinkhole", "").replace("password", "")
    if len(rest) < _LEAST_DIFFERENT:
        raise AccessError("a password is more than the name of its account, sinkhole or password")


class Passwords:
    """Hash and verify passwords, in the same time whether there is such an account or not.

    Args:
        hasher: how; None: argon2id.
    """

    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher = hasher or argon2id()
        self._nobody: str | None = None

    def hash(self, password: str) -> str:
        """Return the hash of a password."""
        return self._hasher.hash(password)

    def is_right(self, stored: str | None, password: str) -> bool:
        """Return whether this is the password of a hash; False, after as long a time, for an account that is not.

        Args:
            stored: the hash, None where there is no such account.
        """
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            return self._hasher.verify(stored or self._nobody, password[: LONGEST + 1]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_weak(self, stored: str) -> bool:
        """Return whether a hash is weaker than those that are made now."""
        return self._hasher.check_needs_rehash(stored)
