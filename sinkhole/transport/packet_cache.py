"""Finished replies, found by the raw octets of the query (a packet cache, as PowerDNS calls it).

The key is everything after the id: flags, question in its letter case, OPT. Equal octets from clients of equal scope
over the same kind of transport deserve equal replies, so a hit needs no parsing: one look-up, and the id in front.

Each scope has a table for datagrams and one for streams. All tables share one bound and, as in `recent`, are split
into a young and an old part; the young one is dropped when a flood of random names has filled it twice. What was asked
for again a second or more after the first time is proven and held in a second such pair, which only other proven
replies push out: after a flood, and during it, it is found there.
"""

from collections.abc import Hashable
from typing import Final
from weakref import WeakValueDictionary

from mypy_extensions import i64

from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.transport.entry import Entry
from sinkhole.transport.held import HeldTable
from sinkhole.transport.table import Table

_MARKS: Final = 1 << 16
"""Keys remembered by the doorkeeper at most; it takes an octet for each."""
_MARK_SHIFT: Final = 32
_MOST_MARK: Final = 0xFF
"""Bits of a hash that are its mark."""


class Doorkeeper:
    """Remembers keys that were seen once: what comes a second time is worth keeping (TinyLFU's doorkeeper).

    A key has a place by its hash, and leaves a mark of eight bits there until another key does. So of keys that were
    never seen one in 255 is taken for seen, and is kept for nothing. The hash is that by which the key was looked up
    already, which nobody outside of this process can foresee.
    """

    def __init__(self) -> None:
        self._marks = bytearray(_MARKS)

    def has_seen(self, key: bytes) -> bool:
        """Return whether a key was seen before, not too long ago; from now on it was."""
        digest: i64 = hash(key)
        place, mark = digest & _MARKS - 1, digest >> _MARK_SHIFT & _MOST_MARK or 1
        if self._marks[place] == mark:
            return True
        self._marks[place] = mark
        return False


class PacketCache:
    """The tables of all scopes, together bounded.

    An entry may be in both pairs and counts in each. Of the bounds three eighths are for the young part, an eighth for
    the proven one, and as much again for what was young and proven before.

    Args:
        max_entries: replies kept, about; 0 keeps none.
        budget: the octets of all caches, of which replies take a part.

    Attributes:
        doorkeeper: asked by whoever makes replies of which most are never asked for again.
    """

    def __init__(self, max_entries: int = 50_000, budget: CacheBudget | None = None) -> None:
        self._budget = budget or CacheBudget(64 * 1024 * 1024)
        octets = self._budget.most_replies
        self._young = _Part(max_entries * 3 // 8, octets * 3 // 8)
        self._proven = _Part(max_entries // 8, octets // 8)
        # Weak: there may be a scope per client, and a table is gone with the last client that has it.
        self._tables: WeakValueDictionary[tuple[Hashable, bool], HeldTable] = WeakValueDictionary()
        self.doorkeeper = Doorkeeper()

    def table_of(self, scope: Hashable, is_stream: bool) -> Table:
        """Return the table of a scope of policy for datagrams or for streams; valid until the next `clear`."""
        key = (scope, is_stream)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = HeldTable()
        return table

    def look_up(self, table: Table, key: bytes, now: float) -> Entry | None:
        """Return the entry of a query's octets after the id, with its TTLs counted down, or None."""
        entry = table.young.get(key)
        if entry is not None:
            return entry if now < entry.due else self.renewed(table, key, entry, now)
        entry = table.old.get(key)
        if entry is None:
            entry = table.proven.get(key) or table.waning.get(key)
        else:
            del table.old[key]
        if entry is None or not (now < entry.due or entry.renew(now)):
            return None
        self._prove(table, key, entry)
        self.store(table, key, entry)
        return entry

    def renewed(self, table: Table, key: bytes, entry: Entry, now: float) -> Entry | None:
        """Return a young entry that is due with its TTLs counted down, or None where its time is over."""
        if entry.renew(now):
            self._prove(table, key, entry)
            return entry
        self._forget(table, key)
        return None

    def store(self, table: Table, key: bytes, entry: Entry) -> None:
        """Keep a reply, if need be instead of those longest unused."""
        size = len(key) + entry.size
        young = self._young
        if not young.can_hold(size):
            return
        if key in table.young:
            self._forget(table, key)
        if not young.has_room(size):
            young.turn()
            for one in list(self._tables.values()):
                one.young, one.old = {}, one.young
        table.young[key] = entry
        young.add(size)
        if key in table.proven:  # the name is, whatever reply to it there was
            self._prove(table, key, entry)
        held = young.held + self._proven.held
        if held > self._budget.replies:
            self._budget.claim(held)

    def clear(self) -> None:
        """Forget everything: the policy that judged it is no longer in force."""
        for table in list(self._tables.values()):
            # A query on its way may still hold the table.
            table.young, table.old, table.proven, table.waning = {}, {}, {}, {}
            table.forget_pieces()
        self._tables.clear()
        self._young.clear()
        self._proven.clear()
        self._budget.release()

    def __len__(self) -> int:
        """Replies kept; one that is in both pairs counts twice."""
        return sum(len(t.young) + len(t.old) + len(t.proven) + len(t.waning) for t in list(self._tables.values()))

    def _forget(self, table: Table, key: bytes) -> None:
        self._young.remove(len(key) + table.young.pop(key).size)

    def _prove(self, table: Table, key: bytes, entry: Entry) -> None:
        """Hold a reply among those that were asked for again."""
        before = table.proven.get(key)
        if before is entry:
            return
        part = self._proven
        size = len(key) + entry.size
        if not part.can_hold(size):
            return
        if before is not None:
            part.remove(len(key) + before.size)
        elif not part.has_room(size):
            part.turn()
            for one in list(self._tables.values()):
                one.proven, one.waning = {}, one.proven
        table.proven[key] = entry
        part.add(size)


class _Part:
    """How much is in the young part of a pair, and how much was in the old part when it was young.

    `held` are the octets of both.
    """

    __slots__ = ("_entries", "_max_entries", "_max_octets", "_octets", "held")

    def __init__(self, max_entries: int, max_octets: int) -> None:
        self._max_entries = max_entries
        self._max_octets = max_octets
        self.clear()

    def can_hold(self, size: int) -> bool:
        """Whether an entry of this size fits into an empty part."""
        return size <= self._max_octets and self._max_entries > 0

    def has_room(self, size: int) -> bool:
        """Whether it fits beside what is there."""
        return self._entries < self._max_entries and self._octets + size <= self._max_octets

    def add(self, size: int) -> None:
        """Count one more."""
        self._entries += 1
        self._octets += size
        self.held += size

    def remove(self, size: int) -> None:
        """Count one less."""
        self._entries -= 1
        self._octets -= size
        self.held -= size

    def clear(self) -> None:
        """There is nothing in it."""
        self._entries = self._octets = self.held = 0

    def turn(self) -> None:
        """Make young old; what was in the old part is dropped."""
        self.held = self._octets
        self._octets = self._entries = 0
