"""Ordinary names, as most are that are asked for once: nothing is listed at or above them, and nothing in them is like
a vendor's name or a word for AI.

Whoever opens a page asks for names that differ in the first label alone. What is above them is looked at once, with
the same means that look at whole names: where nothing is listed at it, above it or below it, and no label of it is
worth a closer look, the first label alone decides of a name right below, and most fall through one sieve. That is one
look in place of five. False is no statement: whatever is not known to be ordinary is looked at the long way.
"""

from typing import Any, Final

from sinkhole.policy.confusables import DOUBLE, FOLDED, JOINERS
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.memo import remember
from sinkhole.policy.sieve import Sieve
from sinkhole.policy.signs import Signs

_MOST_PARENTS: Final = 1 << 14
_LONGEST_PARENT: Final = 64
"""Parents remembered, and octets of the longest of them: 2.5 MB at most, of names in use half of that."""
_MOST_LATEST: Final = 1000
"""Names remembered: of each it is asked up to three times, until its answer has been counted."""


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
        parts = [*(bytes((joiner,)) for joiner in JOINERS), *DOUBLE]
        self._sieve = Sieve([*lookalikes.starts, *signs.words], FOLDED, parts)
        self._parents: dict[bytes, bool] = {}
        self._latest: set[bytes] = set()

    def knows(self, name: bytes) -> bool:
        """Return whether a folded name in wire form was found to be ordinary a moment ago."""
        return name in self._latest

    def parent(self, key: bytes) -> bool | None:
        """Return whether a name below which others stand is ordinary with all that is listed.

        None where it is not known whether anything is listed at or above it; False where that is not so, but something
        else is about it.
        """
        return self._parents.get(key)

    def learn(self, key: bytes) -> None:
        """Remember of a parent that nothing is listed at or above it, and whether there is anything else about it."""
        if key in self._parents or not 0 < len(key) <= _LONGEST_PARENT:
            return
        if len(self._parents) >= _MOST_PARENTS:
            self._parents.clear()
        # A key has the same labels as its name, the top-level domain first, and each is looked at by itself.
        text = key[key[0] + 1 :]
        self._parents[key] = (
            self._lookalikes.is_plain(text)
            and not self._signs.has_trace(key)
            and next(self._trie.iterkeys(key), None) is None
        )

    def admit(self, name: bytes, label: bytes) -> bool:
        """Return whether a name right below an ordinary parent is ordinary, and remember it.

        Args:
            name: folded, in wire form.
            label: its first, behind its length.
        """
        if self._sieve.passes(label) and (self._signs.has_hint(label) or not self._lookalikes.is_plain(label)):
            return False
        remember(self._latest, name, _MOST_LATEST)
        return True
