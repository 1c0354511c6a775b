"""Ordinary names, as most are that are asked for once: nothing is listed at or above them, and nothing in them is like
a vendor's name or a word for AI.

Whoever opens a page asks for names that differ in the first label alone. So the name above them is looked at once, with
the same means that look at whole names, and then the first label alone decides, which falls through a sieve as a rule.
Of a parent that is asked about a second time it is found out what is listed below it: where that is nothing, as with
most, no name right below need be looked up. False is no statement: whatever is not known to be ordinary is looked at
the long way.
"""

from typing import Any, Final

from sinkhole.policy.confusables import FOLDED, PARTS
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.memo import remember
from sinkhole.policy.sieve import Sieve
from sinkhole.policy.signs import Signs

UNKNOWN: Final = 0
"""It is not known whether anything is listed at or above a parent."""
TELLING: Final = 1
"""Nothing is listed at or above it, but its own labels may say something, or it is too long to remember."""
NEW: Final = 2
"""Nothing is listed at or above it, nor do its labels say anything."""
CROWDED: Final = 3
"""The same, and something is listed below it."""
EMPTY: Final = 4
"""The same, and nothing is listed below it."""
_MOST_PARENTS: Final = 1 << 14
_LONGEST_PARENT: Final = 64
"""Parents remembered, and octets of the longest of them: 2.5 MB at most, of names in use half of that."""
_MOST_TOPS: Final = 1000
_MOST_LATEST: Final = 1000
"""Names remembered: of each it is asked up to three times, the last when its answer is counted."""


class Ordinary:
    """Tells ordinary names; immutable but for what it remembers.

    Args:
        trie: of the keys of all listed names (`reversed_key`).
        lookalikes: knows what imitates.
        signs: knows the words for AI.
    """

    def __init__(self, trie: Any, lookalikes: Lookalikes, signs: Signs) -> None:
        self._trie = trie
        self._lookalikes = lookalikes
        self._signs = signs
        self._sieve = Sieve([*lookalikes.starts, *signs.words], FOLDED, PARTS)
        self._parents: dict[bytes, int] = {}
        self._tops: set[bytes] = set()
        self._latest: set[bytes] = set()

    def knows(self, name: bytes) -> bool:
        """Return whether a folded name in wire form was found to be ordinary a moment ago."""
        return name in self._latest

    def parent(self, key: bytes) -> int:
        """Return what is known of a parent, by its key: `UNKNOWN`, `TELLING`, `NEW`, `CROWDED` or `EMPTY`."""
        return self._parents.get(key, UNKNOWN)

    def meet(self, key: bytes) -> int:
        """Remember a parent at and above which nothing is listed; return what `parent` says of it from now on."""
        if not 0 < len(key) <= _LONGEST_PARENT:
            return TELLING
        if len(self._parents) >= _MOST_PARENTS:
            self._parents.clear()
        # A key has the same labels as its name, the top-level domain first, and each is looked at by itself.
        below = key[0] + 1
        found = self._parents[key] = NEW if self._is_mute(key[:below]) and not self._may_tell(key[below:]) else TELLING
        return found

    def look_below(self, key: bytes) -> int:
        """Find out what is listed below a parent that is `NEW`; return what `parent` says of it from now on."""
        found = self._parents[key] = EMPTY if next(self._trie.iterkeys(key), None) is None else CROWDED
        return found

    def admit(self, name: bytes, label: bytes) -> bool:
        """Return whether a name that is not listed is ordinary, and remember it.

        Args:
            name: folded, in wire form; its parent is neither `UNKNOWN` nor `TELLING`.
            label: its first, behind its length.
        """
        if self._may_tell(label):
            return False
        remember(self._latest, name, _MOST_LATEST)
        return True

    def _may_tell(self, text: bytes) -> bool:
        """Return whether labels, each behind its length, are worth a closer look."""
        return self._sieve.passes(text) and (self._signs.has_hint(text) or self._lookalikes.may_imitate(text))

    def _is_mute(self, top: bytes) -> bool:
        """Return whether a top-level domain, behind its length, says nothing, and remember that."""
        if top in self._tops:
            return True
        if self._signs.has_trace(top):
            return False
        remember(self._tops, top, _MOST_TOPS)
        return True
