"""Queries that are answered before any policy and never forwarded: other classes, and types that are no data."""

from dataclasses import dataclass

from sinkhole.protocol.message import Record
from sinkhole.protocol.question import QueryMessage
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, QClass, QType, Rcode

_VERSION_NAMES = frozenset((b"\x07version\x04bind\x00", b"\x07version\x06server\x00"))
"""What servers are asked for their version by (RFC 4892, section 2, and a later habit)."""

_REFUSED = frozenset((QType.AXFR, QType.IXFR, QType.TKEY, QType.TSIG, QType.MAILA, QType.MAILB))
"""Transfers, keys and obsolete mail types: there is no zone here, and nothing to forward (RFC 5936, 2930, 8945)."""
_NXNAME = 128
_NO_QUESTIONS = frozenset((QType.OPT, _NXNAME))
"""Types that stand in messages only; a question for NXNAME is malformed (RFC 9824)."""
_INVALID_QUERY_TYPE = 30


@dataclass(frozen=True, slots=True)
class Unforwarded:
    """Answers what is never forwarded; `chaos_version` is the answer to version.bind, empty for REFUSED."""

    chaos_version: str = ""

    def answer(self, query: QueryMessage) -> ReplyBody | None:
        """Return the answer to such a query, or None for one that the resolver is there for."""
        qtype, qclass = query.question.qtype, query.question.qclass
        if qtype in _NO_QUESTIONS:
            return ReplyBody(Rcode.FORMERR, ede=(Ede(_INVALID_QUERY_TYPE),))
        if query.signed:
            return ReplyBody(Rcode.NOTAUTH)  # no key is shared with anyone (RFC 8945, section 5.2.1)
        if qtype in _REFUSED:
            return ReplyBody(Rcode.REFUSED, ede=(Ede(EdeCode.NOT_SUPPORTED),))
        if qclass == QClass.IN:
            return None
        if qclass == QClass.CH and self.chaos_version and query.question.key in _VERSION_NAMES:
            return self._tell_version(query)
        return ReplyBody(Rcode.REFUSED)

    def _tell_version(self, query: QueryMessage) -> ReplyBody:
        if query.question.qtype not in (QType.TXT, QType.ANY):
            return ReplyBody(Rcode.NOERROR)
        text = self.chaos_version.encode()[:255]
        record = Record(query.question.name, QType.TXT, QClass.CH, 0, bytes([len(text)]) + text)
        return ReplyBody(Rcode.NOERROR, answer=(record,), aa=True)
