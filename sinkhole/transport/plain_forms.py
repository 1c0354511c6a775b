"""Queries that ask for records and nothing else, known by their form: all octets but the id and the name.

Whatever has been read once need not be read again: the next query of the same form differs in its name alone, and so
does the reply, but for the addresses.
"""

from typing import Final

from sinkhole.config.schema import TransportSettings
from sinkhole.protocol.addresses import MOST_ADDRESSES, AddressSet
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS, BadQuery, QueryMessage, Question, Silence, read_query
from sinkhole.protocol.reply import ReplyBody, reply_limit
from sinkhole.protocol.types import QClass, Rcode
from sinkhole.resolver.straight import STRAIGHT_TYPES
from sinkhole.transport.blocked_replies import is_read_alike
from sinkhole.transport.fit import fit_reply

MAX_FORMS: Final = 1000
"""Forms remembered; real clients have a few dozen."""
_COUNT: Final = 6
"""Where the number of answers stands."""
_COUNTS: Final = [count.to_bytes(2) for count in range(MOST_ADDRESSES + 1)]
"""How it is written."""


class PlainForm:
    """What all queries of a form have in common.

    Attributes:
        qtype: one of `STRAIGHT_TYPES`.
        most: octets that a reply may have beside the name and the answers.
    """

    __slots__ = ("_after", "_before", "_first", "_opt", "most", "qtype")

    def __init__(self, first: QueryMessage, empty: bytes, end: int, limit: int) -> None:
        """Take apart the empty reply to the first query of the form, whose question ends at `end`."""
        self.qtype = first.question.qtype
        self._first = first
        self._before = empty[2:_COUNT]
        self._after = empty[_COUNT + 2 : HEADER]
        self._opt = empty[end:]
        self.most = limit - len(self._opt)

    def reply(self, wire: bytes, end: int, found: AddressSet) -> bytes:
        """Return the reply to a query whose question ends at `end`."""
        return b"".join((
            wire[:2], self._before, _COUNTS[found.count], self._after, wire[HEADER:end], found.octets, self._opt,
        ))  # fmt: skip

    def query(self, wire: bytes, name: bytes) -> QueryMessage:
        """Return a query of the form, whose name is known, as `read_query` reads it."""
        first = self._first
        return QueryMessage(
            int.from_bytes(wire[:2]), first.opcode, first.rd, first.ad, first.cd, Question(name, self.qtype), first.edns
        )


class PlainForms:
    """The forms that were met.

    Args:
        settings: limits of the transports.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._known: dict[bytes, PlainForm | None] = {}

    def find(self, wire: bytes, form: bytes) -> PlainForm | None:
        """Return what is known of a query's form (`form_of`), its name being whole; None where it asks for more."""
        try:
            return self._known[form]
        except KeyError:
            if len(self._known) >= MAX_FORMS:
                self._known.clear()
            found = self._known[form] = self._read(wire)
            return found

    def _read(self, wire: bytes) -> PlainForm | None:
        try:
            query = read_query(wire)
        except (Silence, BadQuery):
            return None
        question = query.question
        if question.qtype not in STRAIGHT_TYPES or question.qclass != QClass.IN or not _is_plain(query):
            return None
        end = HEADER + len(question.name) + TYPE_AND_CLASS
        if not is_read_alike(wire[end:]):
            return None
        empty = fit_reply(query, ReplyBody(Rcode.NOERROR), False, self._settings)
        limit = reply_limit(query, False, self._settings.max_payload)
        return PlainForm(query, empty, end, limit)


def _is_plain(query: QueryMessage) -> bool:
    edns = query.edns
    return query.rd and not query.cd and not query.signed and (edns is None or not (edns.do or edns.options))
