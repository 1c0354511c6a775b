"""Unpredictable bits for ids and letter case, taken from the kernel many at a time."""

import os
from typing import Final

_POOL: Final = 4096
"""Octets fetched at once: the system call costs more than what one query needs of them."""


class Entropy:
    """Octets of the kernel's generator, each given out once.

    It belongs to one process: a copy made by a fork would give out the same octets.
    """

    __slots__ = ("_at", "_pool")

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return `count` octets, at most a pool full."""
        at = self._at
        end = at + count
        if end > len(self._pool):
            self._pool = os.urandom(_POOL)
            at, end = 0, count
        self._at = end
        return self._pool[at:end]
