"""Where names stand among compiled names, in one look or few: the question that a flood of blocked names asks.

Names at which the same rows stand, and above which names of the same class stand, are of one class. The table has the
class of every listed name; what is not listed is of the class of the nearest name above it that is. It is a hash table
of open addressing, used as it lies in the file. A list cannot slow it by names of one hash: what finds no room within
`_MOST_LOOKS` places is left out, and who comes to look for it learns that the table does not know.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final
from zlib import crc32

from sinkhole.policy.image_file import SpotTables
from sinkhole.policy.memo import remember
from sinkhole.policy.ordinary import EMPTY, NEW, TELLING, UNKNOWN, Ordinary

Rows = tuple[int, ...] | None
"""What stands at a name, None where more than the name decides (see `build_spots`)."""

_CLASS: Final = 4
"""Octets of a class."""
_UNDECIDED: Final = 0
"""The class of names about which more than the name decides."""
_NO_SPOT: Final = bytes(_CLASS)
"""The same as it is written."""
_LEAF: Final = 0x80
_BRANCH: Final = 0x81
"""The octet behind a key says whether names below it are listed, too; no label of a key is as long."""
_ABSENT: Final = b""
_SELF: Final = b"="
"""Other rows may hold for a listed name than for those below it."""
_MOST_LOOKS: Final = 32
_MOST_UNLISTED: Final = 256
"""More than one batch of queries: whoever found no spot is about to judge the name."""
_ROOM: Final = 2
"""Places for each name, at least: of lists that mean no harm hardly a name finds none (tests/policy/test_spots.py)."""


class Spots:
    """Look-up in the tables; immutable but for what it remembers.

    Args:
        tables: as they lie in the file.
        trie: of the same keys.
        ordinary: remembers at and above which names nothing is listed.

    Attributes:
        unlisted: keys of names that were looked for a moment ago, and neither they nor names above them are listed.
            Those that were found to be ordinary are not among them.
    """

    def __init__(self, tables: SpotTables, trie: Any, ordinary: Ordinary) -> None:
        self._trie = trie
        self._ordinary = ordinary
        self._slots = tables.slots
        self._records = tables.records
        self._start = tables.start
        self._mask = len(tables.slots) - 1
        self.unlisted: set[bytes] = set()

    def find(self, name: bytes, key: bytes) -> bytes | None:
        """Return what the rows at and above a name depend on; None where there are none, or where that is not known.

        The name above it is looked at first: a flood comes from below a listed name, and few have others below them.
        Where nothing is listed at or above that, which is remembered, the name alone is looked up, if at all. Else the
        trie says which is the nearest above it that is listed, however many labels there are.

        Args:
            name: folded, in wire form.
            key: of the name, folded (`reversed_key`).
        """
        size = len(key) - name[0] - 1
        if size < 0:
            return None
        above = key[:size]
        parent = self._ordinary.parent(above)
        if parent == UNKNOWN:
            nearest = self._look_up(above) if size else _ABSENT
            if nearest is None:
                return None
            if nearest and nearest[0] != _BRANCH:
                return _spot_in(nearest, is_own=False)
            if nearest or not self._is_clear_above(name, above):
                listed: list[bytes] = self._trie.prefixes(key)
                if listed:
                    return _spot_in(self._look_up(listed[-1]), is_own=len(listed[-1]) == len(key))
        if parent != EMPTY:
            found = self._look_up(key)
            if found != _ABSENT:
                return _spot_in(found, is_own=True)
        if parent == UNKNOWN:
            parent = self._ordinary.meet(above)
        elif parent == NEW:
            parent = self._ordinary.look_below(above)
        if parent == TELLING or not self._ordinary.admit(name, key[size:]):
            remember(self.unlisted, key, _MOST_UNLISTED)
        return None

    def _is_clear_above(self, name: bytes, above: bytes) -> bool:
        """Return whether nothing is listed above the parent of a name; it is looked for once for all such parents."""
        size = len(above) - name[name[0] + 1] - 1
        if size < 0:
            return False
        higher = above[:size]
        if self._ordinary.parent(higher) != UNKNOWN:
            return True
        if self._trie.prefixes(higher):
            return False
        self._ordinary.meet(higher)
        return True

    def _look_up(self, key: bytes) -> bytes | None:
        """Return what stands behind a key, `_ABSENT` where it is not listed, or None where that is not known."""
        slots, records, mask = self._slots, self._records, self._mask
        place = crc32(key) & mask
        size = len(key)
        for _ in range(_MOST_LOOKS):
            offset: int = slots[place]
            if not offset:
                return _ABSENT
            offset += self._start
            record = records[offset : offset + size + 1 + _CLASS]
            if record.startswith(key) and record[size] >= _LEAF:
                return record[size:]
            place = place + 1 & mask
        return None


def _spot_in(found: bytes | None, *, is_own: bool) -> bytes | None:
    """Return the spot in what stands behind a key, if that is known."""
    if not found:
        return None
    spot = found[1:]
    if spot == _NO_SPOT:
        return None
    return _SELF + spot if is_own else spot


def build_spots(keys: Sequence[bytes], rows_of: Callable[[int], Rows]) -> SpotTables:
    """Build the tables.

    Args:
        keys: of names, in any order; those that are equal have the same rows.
        rows_of: gives the rows at the key of an index. None: more than the name decides about names here and below.
    """
    slots = array("I", bytes(4 * _places(len(keys))))
    mask = len(slots) - 1
    records = bytearray(1)
    classes: dict[tuple[int, tuple[int, ...]], int] = {}
    above: list[tuple[bytes, int, int]] = []
    before = None
    for index in sorted(range(len(keys)), key=keys.__getitem__):
        key = keys[index]
        if key == before:
            continue
        before = key
        while above and not key.startswith(above[-1][0]):
            above.pop()
        parent = None
        if above:
            _, parent, end = above[-1]
            records[end] = _BRANCH
        rows = None if parent == _UNDECIDED else rows_of(index)
        number = _UNDECIDED if rows is None else classes.setdefault((parent or 0, rows), len(classes) + 1)
        above.append((key, number, len(records) + len(key)))
        place = crc32(key) & mask
        for _ in range(_MOST_LOOKS):
            if not slots[place]:
                slots[place] = len(records)
                break
            place = place + 1 & mask
        # One that found no room is written all the same: what is below it says so there.
        records += key + bytes((_LEAF,)) + number.to_bytes(_CLASS, "little")
    return SpotTables(memoryview(slots), bytes(records))


def _places(count: int) -> int:
    """Return a power of two with enough room for so many names."""
    return 1 << (count * _ROOM).bit_length()
