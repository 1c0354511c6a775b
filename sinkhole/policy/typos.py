"""Words that are a slip of the finger away from a brand (Damerau-Levenshtein distance, adjacent letters swapped once).

Most words are dismissed by two look-ups: a word counts as a slip only where the first or the last three letters of the
brand still stand (for two slips, the first), as they do in nearly all that is registered to be mistyped.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from sinkhole.policy.confusables import HYPHEN, JOINERS
from sinkhole.policy.sieve import Sieve

SHORTEST: Final = 6
"""Letters of a brand: a shorter one is one letter away from half the dictionary."""
_TWO_FROM: Final = 10
"""Letters from which on two slips are still no accident; with nine, `anthropos` and `spicychef` would be slips."""
_END: Final = 3
_WORD: Final = re.compile(rb"[a-z]{%d,63}" % (SHORTEST - 1))
_BORDER: Final = b"\0"
_LETTERS_ALONE: Final = bytes(octet if octet in b"abcdefghijklmnopqrstuvwxyz" else 0 for octet in range(256))
"""Takes whatever is no letter for the border of a word."""


class Slip(NamedTuple):
    """A word that is near a brand, without the word that it is grown together with, if any."""

    token: bytes
    word: bytes
    distance: int
    beside: bytes

    @property
    def is_clear(self) -> bool:
        """Whether two letters changed places, or one was typed twice, and nothing else happened."""
        if self.distance > 1:
            return False
        doubled = any(self.token[: at + 1] + self.token[at:] == self.word for at in range(len(self.token)))
        return doubled or sorted(self.word) == sorted(self.token)


class Typos:
    """Finds words near brands.

    Args:
        tokens: the brands in lower-case ASCII letters; those under `SHORTEST` letters are left out.
        leads: words that may be grown together with a misspelt brand in front.
        companions: words that may be grown together with it behind.
        innocents: words that are near a brand by accident.

    Attributes:
        edges: three letters each; where a text has a slip, at least one of them is in it.
    """

    def __init__(
        self,
        tokens: Iterable[bytes],
        leads: Collection[bytes],
        companions: Collection[bytes],
        innocents: Collection[bytes],
    ) -> None:
        self._leads = tuple(leads)
        self._companions = frozenset((b"", *companions))
        self._innocents = frozenset(innocents)
        self._by_start: dict[bytes, list[bytes]] = {}
        self._by_end: dict[bytes, list[bytes]] = {}
        self._by_swap: dict[bytes, bytes] = {}
        for token in sorted(token for token in tokens if len(token) >= SHORTEST):
            self._by_start.setdefault(token[:_END], []).append(token)
            self._by_end.setdefault(token[-_END:], []).append(token)
            if len(token) == 2 * _END:
                # The one slip that touches both ends.
                self._by_swap[token[: _END - 1] + token[_END - 1 : _END + 1][::-1] + token[_END + 1 :]] = token

        starts = [*self._by_start, *(word[:_END] for word in self._by_swap)]
        before = {_BORDER, *(lead[-1:] for lead in self._leads)}
        ends = [end + _BORDER for end in self._by_end]
        self.edges = (*starts, *self._by_end)
        self._sieve = Sieve([*(one + start for one in before for start in starts), *ends], _LETTERS_ALONE, size=4)

    def has_slip(self, text: bytes) -> bool:
        """Return whether there is a slip in a folded text, which may be a name in wire form."""
        joined = text.translate(None, JOINERS) if HYPHEN in text else text
        if not self._sieve.passes(joined + _BORDER) and (joined is text or not self._sieve.passes(text + _BORDER)):
            return False
        return bool(self.find(text))

    def find(self, text: bytes) -> list[Slip]:
        """Return the slips in a folded text; what joiners part is looked at as one word, too."""
        words = _WORD.findall(text)
        if HYPHEN in text:
            words += _WORD.findall(text.translate(None, JOINERS))
        slips: list[Slip] = []
        for word in words:
            self._look(word, slips)
            if word.startswith(self._leads):
                for lead in self._leads:
                    if word.startswith(lead):
                        self._look(word[len(lead) :], slips)
        return slips

    def _look(self, word: bytes, slips: list[Slip]) -> None:
        """Add the slips that a word is to others."""
        length = len(word)
        for token in self._by_start.get(word[:_END], ()):
            for size in range(len(token) - 1, min(len(token) + 1, length) + 1):
                if word[size:] in self._companions:
                    self._compare(word[:size], token, word[size:], 2 if len(token) >= _TWO_FROM else 1, slips)
        for token in self._by_end.get(word[-_END:], ()):
            if -1 <= length - len(token) <= 1:
                self._compare(word, token, b"", 1, slips)
        if word in self._by_swap and word not in self._innocents:
            slips.append(Slip(self._by_swap[word], word, 1, b""))

    def _compare(self, word: bytes, token: bytes, beside: bytes, limit: int, slips: list[Slip]) -> None:
        if word != token and word not in self._innocents and (near := distance(word, token, limit)) <= limit:
            slips.append(Slip(token, word, near, beside))


def distance(one: bytes, other: bytes, limit: int) -> int:
    """Return how many letters were left out, added, changed or swapped with their neighbour; `limit` + 1 for more.

    For the small limits of use this is faster than a table: where letters first differ, one of the four has happened.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    if one == other:
        return 0
    if limit == 0:
        return 1
    start = 0
    while one[start : start + 1] == other[start : start + 1]:
        start += 1
    one, other = one[start:], other[start:]
    rest = [(one[1:], other), (one, other[1:]), (one[1:], other[1:])]
    if one[:2] == other[1::-1]:
        rest.append((one[2:], other[2:]))
    return 1 + min(distance(left, right, limit - 1) for left, right in rest)
