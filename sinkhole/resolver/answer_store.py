"""Answers by question, bounded by entries and by octets (R-C19).

What was asked for again is kept apart from what was asked for once (a segmented LRU): of the new the least recent goes
first, and a flood of names that never come again finds nothing else to push out.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.protocol.addresses import AddressSet, read_records
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.protocol.value import value
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.resolver.query import Query

Key = Hashable
"""Folded name, type, class, DO, CD: all that an upstream's answer depends on (RFC 4035, section 4.7 for CD).

Nobody looks into it. It is octets, and no tuple, so the collector of garbage need not walk those of a full cache.
"""

_ENTRY_OCTETS: Final = 800
_RECORD_OCTETS: Final = 330
"""What Python needs for an entry and for a record beside their names and data, measured with tracemalloc."""


def key_of(query: Query) -> Key:
    """Return the key of a query; the transport is no part of it, sizes are applied on output."""
    question = query.question
    rest = rest_of_key(question.qtype, question.qclass, dnssec=query.wants_dnssec, cd=query.message.cd)
    return question.key + rest


def rest_of_key(qtype: int, qclass: int, *, dnssec: bool = False, cd: bool = False) -> bytes:
    """Return what follows the folded name in a key."""
    return qtype.to_bytes(2, "big") + qclass.to_bytes(2, "big") + bytes((dnssec << 1 | cd,))


@value(frozen=True, slots=True)
class Entry:
    """A kept answer: TTLs as of `born`; both times are monotonic seconds."""

    body: ReplyBody
    born: float
    expires: float

    @property
    def octets(self) -> int:
        """An estimate of the memory it takes."""
        records = self.body.answer + self.body.authority
        return _ENTRY_OCTETS + sum(_RECORD_OCTETS + len(r.owner) + len(r.rdata) for r in records)


@mypyc_attr(acyclic=True)
class AddressEntry:
    """A kept set of addresses, made into records when it is first asked for: most never are.

    Attributes:
        born, expires: as of `Entry`.
        octets: an estimate of the memory that it takes at the end.
    """

    __slots__ = ("_body", "_name", "_qtype", "_records", "_size", "born", "expires", "octets")

    def __init__(self, name: bytes, qtype: int, addresses: AddressSet, born: float, expires: float) -> None:
        self._name = name
        self._qtype = qtype
        self._records = addresses.octets
        self._size = addresses.size
        self._body: ReplyBody | None = None
        self.born = born
        self.expires = expires
        self.octets = _ENTRY_OCTETS + addresses.count * (_RECORD_OCTETS + len(name) + addresses.size)

    @property
    def body(self) -> ReplyBody:
        """The answer, TTLs as of `born`."""
        if self._body is None:
            records = read_records(self._records, self._size, self._name, self._qtype)
            self._body = ReplyBody(Rcode.NOERROR, answer=records)
        return self._body


Kept = Entry | AddressEntry


class AnswerStore:
    """The entries.

    Args:
        max_entries: entries held at most; 0 keeps nothing.
        budget: says how many octets are held at most.
    """

    def __init__(self, max_entries: int, budget: CacheBudget) -> None:
        self._max_entries = max_entries
        self._budget = budget
        self._new: OrderedDict[Key, Kept] = OrderedDict()
        self._proven: OrderedDict[Key, Kept] = OrderedDict()
        self._octets = 0
        self._proven_octets = 0
        budget.on_less(self._shrink)

    def __len__(self) -> int:
        return len(self._new) + len(self._proven)

    @property
    def octets(self) -> int:
        """Octets held, by the estimate of the entries."""
        return self._octets

    def holds(self, key: Key) -> bool:
        """Return whether there is an entry, whatever its age; it does not count as used."""
        return key in self._new or key in self._proven

    def get(self, key: Key) -> Kept | None:
        """Return the entry of `key`, whatever its age, and count it as used."""
        entry = self._proven.get(key)
        if entry is not None:
            self._proven.move_to_end(key)
            return entry
        entry = self._new.pop(key, None)
        if entry is not None:
            self._prove(key, entry)
        return entry

    def put(self, key: Key, entry: Kept) -> None:
        """Keep `entry` in place of what was there, and drop old entries until the bounds hold."""
        was_proven = key in self._proven
        if was_proven or key in self._new:
            self.drop(key)
        self._octets += entry.octets
        if was_proven:
            self._prove(key, entry)
        else:
            self._new[key] = entry
        self._shrink()

    def drop(self, key: Key) -> None:
        """Forget `key`, if it is held."""
        entry = self._new.pop(key, None)
        if entry is None:
            entry = self._proven.pop(key, None)
            if entry is None:
                return
            self._proven_octets -= entry.octets
        self._octets -= entry.octets

    def _prove(self, key: Key, entry: Kept) -> None:
        """Hold an entry among those that were asked for again, which have three quarters of the room."""
        self._proven[key] = entry
        self._proven_octets += entry.octets
        most_entries, most_octets = self._max_entries * 3 // 4, self._budget.answers * 3 // 4
        while len(self._proven) > most_entries or self._proven_octets > most_octets:
            oldest, unproven = self._proven.popitem(last=False)
            self._proven_octets -= unproven.octets
            self._new[oldest] = unproven

    def _shrink(self) -> None:
        most_octets, new = self._budget.answers, self._new
        while self._octets > most_octets or len(new) + len(self._proven) > self._max_entries:
            if new:
                _, gone = new.popitem(last=False)
            else:
                _, gone = self._proven.popitem(last=False)
                self._proven_octets -= gone.octets
            self._octets -= gone.octets
