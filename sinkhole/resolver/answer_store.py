"""Answers by question, bounded by entries and by octets (R-C19).

What was asked for again and what was asked for once stand in queues of their own (S3-FIFO, Yang et al. 2023, without
its memory of what is gone): of the new the oldest goes first, and a flood of names that never come again finds nothing
else to push out. To be asked for once more is counted, up to three, and moves nothing: one of the proven that has a
count when its turn comes pays one, and stays for another round.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.protocol.addresses import AddressSet, read_records
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.resolver.cache_budget import CacheBudget
from sinkhole.resolver.query import Query

Key = Hashable
"""Folded name, type, class, DO, CD: all that an upstream's answer depends on (RFC 4035, section 4.7 for CD).

Nobody looks into it. It is octets, and no tuple, so the collector of garbage need not walk those of a full cache.
"""

_ENTRY_OCTETS: Final = 800
_RECORD_OCTETS: Final = 330
"""What Python needs for an entry and for a record beside their names and data, measured with tracemalloc."""
_MOST_ROUNDS: Final = 3
_PATIENCE: Final = 64
"""Keys and entries looked at in vain to find one that goes, so that no query waits for more: then the newest goes of
the new, and of the proven the last that was looked at."""
_FEW: Final = 64
"""Keys that may mean nothing in a queue, beside as many as there are entries."""


def key_of(query: Query) -> Key:
    """Return the key of a query; the transport is no part of it, sizes are applied on output."""
    question = query.question
    rest = rest_of_key(question.qtype, question.qclass, dnssec=query.wants_dnssec, cd=query.message.cd)
    return question.key + rest


def rest_of_key(qtype: int, qclass: int, *, dnssec: bool = False, cd: bool = False) -> bytes:
    """Return what follows the folded name in a key."""
    return qtype.to_bytes(2, "big") + qclass.to_bytes(2, "big") + bytes((dnssec << 1 | cd,))


@mypyc_attr(acyclic=True)
class Kept:
    """A kept answer.

    Attributes:
        born, expires: monotonic seconds; TTLs are as of `born`.
        octets: an estimate of the memory that it takes.
        is_proven: whether it is in the queue of those that were asked for again.
        rounds: how many more it has there, earned by being asked for.
    """

    __slots__ = ("born", "expires", "is_proven", "octets", "rounds")

    def __init__(self, born: float, expires: float, octets: int) -> None:
        self.born = born
        self.expires = expires
        self.octets = octets
        self.is_proven = False
        self.rounds = 0

    @property
    def body(self) -> ReplyBody:
        """The answer, TTLs as of `born`."""
        raise NotImplementedError


@mypyc_attr(acyclic=True)
class Entry(Kept):
    """A kept answer of any records."""

    __slots__ = ("_body",)

    def __init__(self, body: ReplyBody, born: float, expires: float) -> None:
        records = body.answer + body.authority
        octets = _ENTRY_OCTETS + sum([_RECORD_OCTETS + len(r.owner) + len(r.rdata) for r in records])
        super().__init__(born, expires, octets)
        self._body = body

    @property
    def body(self) -> ReplyBody:
        """The answer, TTLs as of `born`."""
        return self._body


@mypyc_attr(acyclic=True)
class AddressEntry(Kept):
    """A kept set of addresses, made into records when it is first asked for: most never are."""

    __slots__ = ("_body", "_name", "_qtype", "_records", "_size")

    def __init__(self, name: bytes, qtype: int, addresses: AddressSet, born: float, expires: float) -> None:
        # What it takes at the end.
        octets = _ENTRY_OCTETS + addresses.count * (_RECORD_OCTETS + len(name) + addresses.size)
        super().__init__(born, expires, octets)
        self._name = name
        self._qtype = qtype
        self._records = addresses.octets
        self._size = addresses.size
        self._body: ReplyBody | None = None

    @property
    def body(self) -> ReplyBody:
        """The answer, TTLs as of `born`."""
        if self._body is None:
            records = read_records(self._records, self._size, self._name, self._qtype)
            self._body = ReplyBody(Rcode.NOERROR, answer=records)
        return self._body


class AnswerStore:
    """The entries.

    A key that was dropped or proven stays in the queue where it was until its turn comes, and means nothing there.

    Args:
        max_entries: entries held at most; 0 keeps nothing.
        budget: says how many octets are held at most.
    """

    def __init__(self, max_entries: int, budget: CacheBudget) -> None:
        self._max_entries = max_entries
        self._budget = budget
        self._entries: dict[Key, Kept] = {}
        self._new: deque[Key] = deque()
        self._proven: deque[Key] = deque()
        self._octets = 0
        self._proven_octets = 0
        budget.on_less(self._shrink)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def octets(self) -> int:
        """Octets held, by the estimate of the entries."""
        return self._octets

    def holds(self, key: Key) -> bool:
        """Return whether there is an entry, whatever its age; it does not count as asked for."""
        return key in self._entries

    def get(self, key: Key) -> Kept | None:
        """Return the entry of `key`, whatever its age, and count it as asked for."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.is_proven:
            self._prove(key, entry)
        elif entry.rounds < _MOST_ROUNDS:
            entry.rounds += 1
        return entry

    def put(self, key: Key, entry: Kept) -> None:
        """Keep `entry` in place of what was there, and drop old entries until the bounds hold."""
        if entry.octets > self._budget.answers:  # or all others would go, and it last
            self.drop(key)
            return
        before = self._entries.get(key)
        self._entries[key] = entry
        self._octets += entry.octets
        if before is None:
            self._new.append(key)
        else:
            entry.rounds, entry.is_proven = before.rounds, before.is_proven
            self._octets -= before.octets
            if before.is_proven:
                self._proven_octets += entry.octets - before.octets
                self._bound_proven()
        self._shrink()

    def drop(self, key: Key) -> None:
        """Forget `key`, if it is held."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._octets -= entry.octets
        if entry.is_proven:
            self._proven_octets -= entry.octets
        self._tidy()

    def _is_in(self, key: Key, *, is_proven: bool) -> bool:
        """Return whether a key that stands in a queue means something there."""
        entry = self._entries.get(key)
        return entry is not None and entry.is_proven is is_proven

    def _prove(self, key: Key, entry: Kept) -> None:
        """Put an entry among the proven."""
        entry.is_proven = True
        self._proven.append(key)
        self._proven_octets += entry.octets
        self._bound_proven()
        # One key more means nothing among the new: take away two, or a row of them would be found in one go.
        for _ in range(2):
            if self._new and not self._is_in(self._new[0], is_proven=False):
                self._new.popleft()
        self._tidy()

    def _bound_proven(self) -> None:
        """Leave the proven three quarters of the room."""
        most_entries, most_octets = self._max_entries * 3 // 4, self._budget.answers * 3 // 4
        while len(self._proven) > most_entries or self._proven_octets > most_octets:
            self._take_proven(is_wanted=True)

    def _tidy(self) -> None:
        """Take away the keys that mean nothing, if they are most."""
        if len(self._new) + len(self._proven) > 2 * len(self._entries) + _FEW:
            self._new = deque([key for key in dict.fromkeys(self._new) if self._is_in(key, is_proven=False)])
            self._proven = deque([key for key in dict.fromkeys(self._proven) if self._is_in(key, is_proven=True)])

    def _shrink(self) -> None:
        most_octets, patience = self._budget.answers, _PATIENCE
        while self._octets > most_octets or len(self._entries) > self._max_entries:
            if self._new:
                key = self._new.popleft() if patience else self._new.pop()
                if self._is_in(key, is_proven=False):
                    self.drop(key)
                elif patience:
                    patience -= 1
            else:
                self._take_proven(is_wanted=False)

    def _take_proven(self, *, is_wanted: bool) -> None:
        """Let the oldest of the proven go that has no other round, or be among the new once more."""
        for patience in range(_PATIENCE, 0, -1):
            key = self._proven.popleft()
            entry = self._entries.get(key)
            if entry is None or not entry.is_proven:
                return
            if entry.rounds and patience > 1:
                entry.rounds -= 1
                self._proven.append(key)
                continue
            if not is_wanted:
                self.drop(key)
                return
            entry.is_proven = False
            entry.rounds = 0
            self._proven_octets -= entry.octets
            self._new.append(key)
            return
