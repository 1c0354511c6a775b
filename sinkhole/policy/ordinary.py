"""Ordinary names, as most are that are asked for once: nothing is listed at or above them, and nothing in them is like
a vendor's name or a word for AI.

Whoever opens a page asks for names that differ in the first label alone. What is above them is looked at once, with
the same means that look at whole names: where nothing is listed at it, above it or below it, and no label of it is
worth a closer look, the first label alone decides of a name right below, and most fall through one sieve. That is one
look in place of five. False is no statement: whatever is not known to be ordinary is looked at the long way.
"""

from typing import Any, Final

from sinkhole.policy.confusables import FOLDED, PARTS
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.memo import remember
from sinkhole.policy.sieve import Sieve
from sinkhole.policy.signs import Signs

_MOST_PARENTS: Final = 1 << 14
_LONGEST_PARENT: Final = 64
"""Parents remembered, and octets of the longest of them: 2.5 MB at most, of names in use half of that."""
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
        self._parents: dict[bytes, bool] = {}
        self._latest: set[bytes] = set()

    def knows(self, name: bytes) -> bool:
        """Return whether a folded name in wire form was found to be ordinary a moment ago."""
        return name in self._latest

    def parent(self, key: bytes) -> bool | None:
        """Return whether of a name right below this one the first label decides; None where nothing is known.

        Either is known only of names at and above which nothing is listed. False where something is listed below, or
        another label may say something.
        """
        return self._parents.get(key)

    def learn(self, key: bytes) -> bool:
        """Remember a parent at and above which nothing is listed; return what `parent` says of it from now on."""
        if not 0 < len(key) <= _LONGEST_PARENT:
            return False
        if len(self._parents) >= _MOST_PARENTS:
            self._parents.clear()
        # A key has the same labels as its name, the top-level domain first, and each is looked at by itself.
        text = key[key[0] + 1 :]
        found = self._parents[key] = (
            self._lookalikes.is_plain(text)
            and not self._signs.has_trace(key)
            and next(self._trie.iterkeys(key), None) is None
        )
        return found

    def admit(self, name: bytes, label: bytes) -> bool:
        """Return whether a name right below an ordinary parent is ordinary, and remember it.

        Args:
            name: folded, in wire form.
            label: its first, behind its length.
        """
        if self._sieve.passes(label) and (self._signs.has_hint(label) or self._lookalikes.may_imitate(label)):
            return False
        remember(self._latest, name, _MOST_LATEST)
        return True
