"""Tells of most texts at a look that none of many words is in them.

A word begins with three letters, and few texts have three in a row with which one of some hundred words begins; four in
a row have hardly any. What passes has to be looked for; what does not was looked at once, octet by octet.
"""

from collections.abc import Iterable
from typing import Final

_BITS: Final = 5
_CLASSES: Final = 1 << _BITS
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz0123456789"
"""What words are made of; each is of a class, digits share some, and all other octets are of class 0."""


class Sieve:
    """A few octets in a row that may begin a word.

    Args:
        words: of lower-case letters and digits; any other octet in one stands for all others, and for what is before a
            text.
        likeness: by octet, which one it is taken for (`bytes.translate`).
        parts: octets or pairs of octets that may be anywhere in a word, so whatever holds one passes.
        size: how many octets in a row are looked at, three or four; four take 128 KiB.
    """

    def __init__(self, words: Iterable[bytes], likeness: bytes, parts: Iterable[bytes] = (), size: int = 3) -> None:
        classes = bytearray(256)
        for number, octet in enumerate(_LETTERS):
            classes[octet] = 1 + number % (_CLASSES - 2)
        for octet in b"".join(parts):
            if not classes[octet]:
                classes[octet] = _CLASSES - 1
        self._classes = bytes(classes[like] for like in likeness)
        self._all = (1 << size * _BITS) - 1
        starts = bytearray((self._all + 1) // 8)
        for word in (*words, *parts):
            self._mark(starts, word[:size], size)
        self._starts = bytes(starts)

    def passes(self, text: bytes) -> bool:
        """Return whether one of the words may be in a text; False is certain."""
        starts, every = self._starts, self._all
        last = 0
        for octet in text.translate(self._classes):
            last = (last << _BITS | octet) & every
            if starts[last >> 3] >> (last & 7) & 1:
                return True
        return False

    def _mark(self, starts: bytearray, start: bytes, size: int) -> None:
        """Mark all octets in a row that end with the start of a word."""
        at = 0
        for octet in start:
            at = at << _BITS | self._classes[octet]
        known = _BITS * len(start)
        for before in range(1 << size * _BITS - known):
            last = before << known | at
            starts[last >> 3] |= 1 << (last & 7)
