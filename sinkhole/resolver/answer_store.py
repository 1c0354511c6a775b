"""Answers by question, bounded by entries and by octets; the least recently used goes first (R-C19)."""

from collections import OrderedDict

from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.value import value
from sinkhole.resolver.query import Query

Key = tuple[bytes, int, int, bool, bool]
"""Folded name, type, class, DO, CD: all that an upstream's answer depends on (RFC 4035, section 4.7 for CD)."""

_ENTRY_OCTETS = 800
_RECORD_OCTETS = 330
"""What Python needs for an entry and for a record beside their names and data, measured with tracemalloc."""


def key_of(query: Query) -> Key:
    """Return the key of a query; the transport is no part of it, sizes are applied on output."""
    question = query.question
    return question.key, question.qtype, question.qclass, query.wants_dnssec, query.message.cd


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


class AnswerStore:
    """The entries.

    Args:
        max_entries: entries held at most; 0 keeps nothing.
        max_octets: octets held at most.
    """

    def __init__(self, max_entries: int, max_octets: int) -> None:
        self._max_entries = max_entries
        self._max_octets = max_octets
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._octets = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def octets(self) -> int:
        """Octets held, by the estimate of the entries."""
        return self._octets

    def get(self, key: Key) -> Entry | None:
        """Return the entry of `key`, whatever its age, and count it as used."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep `entry` in place of what was there, and drop old entries until the bounds hold."""
        self.drop(key)
        self._entries[key] = entry
        self._octets += entry.octets
        while self._entries and (len(self._entries) > self._max_entries or self._octets > self._max_octets):
            _, oldest = self._entries.popitem(last=False)
            self._octets -= oldest.octets

    def drop(self, key: Key) -> None:
        """Forget `key`, if it is held."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._octets -= entry.octets
