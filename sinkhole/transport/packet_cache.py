"""Finished replies, found by the raw octets of the query (a packet cache, as PowerDNS calls it).

The key is everything after the id: flags, question in its letter case, OPT. Equal octets from clients of equal scope
over the same kind of transport deserve equal replies, so a hit needs no parsing: one look-up, and the id in front.

Each scope has a table for datagrams and one for streams. All tables share one bound and, as in `recent`, are split
into a young and an old part, so that a flood of random names cannot push out what is asked again and again.
"""

from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.ttl import age, ttl_offsets

MAX_MARKS = 20_000
_OVERHEAD = 700
"""Octets of an entry besides its wire forms: objects, dictionary slots (measured with tracemalloc)."""


class Entry:
    """A finished reply with what is needed to age it and to record that it was served.

    `tail` is the reply after the id, right until `due`; `renew` makes it right again for the next second. Name, qtype
    and verdict are what is counted each time the reply is served, if `is_recorded`.
    """

    __slots__ = ("_birth", "_expires", "_offsets", "_wire", "due", "is_recorded", "name", "qtype", "tail", "verdict")

    def __init__(
        self,
        wire: bytes,
        now: float,
        ttl: float,
        name: str = "",
        qtype: int = 0,
        verdict: Verdict | None = None,
        is_recorded: bool = False,
    ) -> None:
        self._wire = wire
        self._offsets = ttl_offsets(wire)
        self._birth = now
        self._expires = now + ttl
        self.tail = wire[2:]
        self.due = min(now + 1.0, self._expires)
        self.name = name
        self.qtype = qtype
        self.verdict = verdict
        self.is_recorded = is_recorded

    @property
    def size(self) -> int:
        """Octets the entry takes, about."""
        return 2 * len(self._wire) + _OVERHEAD

    def renew(self, now: float) -> bool:
        """Count the TTLs down to `now`; return False when the reply may no longer be served."""
        if now >= self._expires:
            return False
        seconds = int(now - self._birth)
        wire = bytearray(self._wire)
        age(wire, self._offsets, seconds)
        self.tail = bytes(memoryview(wire)[2:])
        self.due = min(self._birth + seconds + 1.0, self._expires)
        return True


class Table:
    """Replies for one scope and one kind of transport.

    Attributes:
        young, old: finished ones; `young` is read directly on the fast path.
        pieces: what replies to blocked names are made of (`blocked_replies`); `forms` are the queries they are for.
    """

    __slots__ = ("__weakref__", "forms", "old", "pieces", "young")

    def __init__(self) -> None:
        self.young: dict[bytes, Entry] = {}
        self.old: dict[bytes, Entry] = {}
        self.forget_pieces()

    def forget_pieces(self) -> None:
        """Begin anew with pieces."""
        self.pieces: dict[tuple[bytes, Hashable, int], Any] = {}
        self.forms: set[bytes] = set()


class Doorkeeper:
    """Remembers marks of keys that were seen once: what comes a second time is worth keeping (TinyLFU's doorkeeper)."""

    def __init__(self) -> None:
        self._marks: set[int] = set()

    def __len__(self) -> int:
        return len(self._marks)

    def has_seen(self, key: bytes) -> bool:
        """Return whether a key was seen before, not too long ago; from now on it was."""
        mark = hash(key)
        if mark in self._marks:
            return True
        if len(self._marks) >= MAX_MARKS:
            self._marks.clear()
        self._marks.add(mark)
        return False


class PacketCache:
    """The tables of all scopes, together bounded.

    Args:
        max_entries: replies kept, about; 0 keeps none.
        max_bytes: octets kept, about.
    """

    def __init__(self, max_entries: int = 50_000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._half_entries = max_entries / 2
        self._half_bytes = max_bytes / 2
        # Weak: there may be a scope per client, and a table is gone with the last client that has it.
        self._tables: WeakValueDictionary[tuple[Hashable, bool], Table] = WeakValueDictionary()
        self._entries = 0
        self._bytes = 0

    def table_of(self, scope: Hashable, is_stream: bool) -> Table:
        """Return the table of a scope of policy for datagrams or for streams; valid until the next `clear`."""
        key = (scope, is_stream)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table()
        return table

    def look_up(self, table: Table, key: bytes, now: float) -> Entry | None:
        """Return the entry of a query's octets after the id, with its TTLs counted down, or None."""
        entry = table.young.get(key)
        if entry is None:
            entry = table.old.pop(key, None)
            if entry is None:
                return None
            if now < entry.due or entry.renew(now):
                self.store(table, key, entry)
                return entry
            return None
        if now < entry.due or entry.renew(now):
            return entry
        self._forget(table, key)
        return None

    def store(self, table: Table, key: bytes, entry: Entry) -> None:
        """Keep a reply, if need be instead of those longest unused."""
        size = len(key) + entry.size
        if size > self._half_bytes or self._half_entries < 1:
            return
        if key in table.young:
            self._forget(table, key)
        if self._entries + 1 > self._half_entries or self._bytes + size > self._half_bytes:
            self._turn()
        table.young[key] = entry
        self._entries += 1
        self._bytes += size

    def clear(self) -> None:
        """Forget everything: the policy that judged it is no longer in force."""
        for table in list(self._tables.values()):
            table.young, table.old = {}, {}  # a query on its way may still hold the table
            table.forget_pieces()
        self._tables.clear()
        self._entries = 0
        self._bytes = 0

    def __len__(self) -> int:
        return sum(len(table.young) + len(table.old) for table in list(self._tables.values()))

    def _forget(self, table: Table, key: bytes) -> None:
        self._entries -= 1
        self._bytes -= len(key) + table.young.pop(key).size

    def _turn(self) -> None:
        for table in list(self._tables.values()):
            table.young, table.old = {}, table.young
        self._entries = 0
        self._bytes = 0
