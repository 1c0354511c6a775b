"""Tells of most texts at a look that none of many words is in them.

A word begins with three letters, and few texts have three in a row with which one of some hundred words begins. What
passes has to be looked for; what does not was looked at once, octet by octet, in place of a search for each purpose.
"""

from collections.abc import Iterable
from typing import Final

_BITS: Final = 5
_CLASSES: Final = 1 << _BITS
_ALL: Final = (1 << 3 * _BITS) - 1
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz0123456789"
"""What words are made of; each is of a class, digits share some, and all other octets are of class 0."""


class Sieve:
    """Three octets in a row that may begin a word.

    Args:
        words: of lower-case letters and digits.
        likeness: by octet, which one it is taken for (`bytes.translate`).
        parts: octets or pairs of octets that may be anywhere in a word, so whatever holds one passes.
    """

    def __init__(self, words: Iterable[bytes], likeness: bytes, parts: Iterable[bytes]) -> None:
        classes = bytearray(256)
        for number, octet in enumerate(_LETTERS):
            classes[octet] = 1 + number % (_CLASSES - 2)
        for octet in b"".join(parts):
            if not classes[octet]:
                classes[octet] = _CLASSES - 1
        self._classes = bytes(classes[like] for like in likeness)
        starts = bytearray(_ALL + 1)
        for word in (*words, *parts):
            self._mark(starts, word[:3])
        self._starts = bytes(starts)

    def passes(self, text: bytes) -> bool:
        """Return whether one of the words may be in a text; False is certain."""
        starts = self._starts
        last = 0
        for octet in text.translate(self._classes):
            last = (last << _BITS | octet) & _ALL
            if starts[last]:
                return True
        return False

    def _mark(self, starts: bytearray, start: bytes) -> None:
        """Mark all three octets in a row that end with the start of a word."""
        at = 0
        for octet in start:
            at = at << _BITS | self._classes[octet]
        known = _BITS * len(start)
        for before in range(1 << 3 * _BITS - known):
            starts[before << known | at] = 1
