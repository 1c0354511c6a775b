"""Queries of clients: read strictly, since they come from anyone."""

import struct
from dataclasses import field
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.edns import DO_BIT, Edns, read_options
from sinkhole.protocol.names import read_name
from sinkhole.protocol.types import Opcode, QType, Rcode
from sinkhole.protocol.value import value

__all__ = ["HEADER", "TYPE_AND_CLASS", "BadQuery", "Edns", "QueryMessage", "Question", "Silence", "read_query"]

HEADER: Final = 12
TYPE_AND_CLASS: Final = 4
"""Octets of a header, and of what follows the name in a question."""
_HEADER: Final = struct.Struct("!6H")
_TYPE_CLASS: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
# Beyond this nobody is in good faith, and nothing is read on.
_MAX_QUESTIONS_READ: Final = 4
_SIGNATURES: Final = frozenset((QType.TSIG, QType.SIG))


@value(frozen=True, slots=True)
class Question:
    """A question: the name in the letter case it was asked in, its type and its class.

    Attributes:
        key: the name folded, for comparing and looking up.
    """

    name: bytes
    qtype: int
    qclass: int = 1
    key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.key = self.name.lower()  # type: ignore[misc] # the one place that sets it


@value(frozen=True, slots=True)
class QueryMessage:
    """A well-formed query of a client; `signed` tells of a TSIG or SIG(0) record that nobody has checked."""

    id: int
    opcode: int
    rd: bool
    ad: bool
    cd: bool
    question: Question
    edns: Edns | None
    signed: bool = False


class Silence(FormError):  # noqa: N818 silence is what it asks for
    """A packet that gets no answer at all: an error reply could be a reflection or start a loop."""


class BadQuery(FormError):  # noqa: N818 names the query, as dispatch does
    """A query that gets an error reply.

    Args:
        text: what is wrong with it.
        rcode: FORMERR, NOTIMP or BADVERS.
        id, opcode, rd, cd: from its header.
        question: if it could be read.
        edns: if it has a readable OPT record; the answer then needs one too.
    """

    def __init__(
        self,
        text: str,
        *,
        rcode: int,
        id: int,  # noqa: A002 the field's name in RFC 1035
        opcode: int,
        rd: bool,
        cd: bool = False,
        question: Question | None = None,
        edns: Edns | None = None,
    ) -> None:
        super().__init__(text)
        self.rcode = rcode
        self.id = id
        self.opcode = opcode
        self.rd = rd
        self.cd = cd
        self.question = question
        self.edns = edns


def read_query(wire: bytes) -> QueryMessage:
    """Read a query.

    Raises:
        Silence: it is shorter than a header, or a response (QR=1).
        BadQuery: it deserves an error reply; the error says which.
    """
    if len(wire) < HEADER:
        raise Silence(f"header: 12 octets are wanted; found {len(wire)}")
    ident, flags, qdcount, ancount, nscount, arcount = _HEADER.unpack_from(wire)
    if flags & 0x8000:
        raise Silence("a response is no query (QR=1)")
    opcode = flags >> 11 & 0xF
    scan = _Scan(wire)
    rcode = Rcode.FORMERR
    try:
        if opcode == Opcode.QUERY and qdcount == 1:
            question = scan.read_question()
            scan.read_records(ancount + nscount, arcount)
            edns = scan.edns
            if edns is None or edns.version == 0:
                return QueryMessage(
                    ident,
                    opcode,
                    flags & 0x100 != 0,
                    flags & 0x20 != 0,
                    flags & 0x10 != 0,
                    question,
                    edns,
                    scan.signed,
                )
            rcode, text = Rcode.BADVERS, f"EDNS: only version 0 is spoken; found {edns.version}"
        else:
            text = scan.read_for_refusal(qdcount, ancount + nscount, arcount)
            if opcode != Opcode.QUERY:
                rcode, text = Rcode.NOTIMP, f"opcode: only QUERY is implemented; found {opcode}"
    except FormError as error:
        if opcode != Opcode.QUERY:
            rcode = Rcode.NOTIMP
        text = str(error)
    raise BadQuery(
        text,
        rcode=rcode,
        id=ident,
        opcode=opcode,
        rd=flags & 0x100 != 0,
        cd=flags & 0x10 != 0,
        # What stands first in a message of another opcode is not ours to repeat.
        question=scan.question if opcode == Opcode.QUERY else None,
        edns=scan.edns,
    )


class _Scan:
    """One pass over a query that keeps what it has learnt when it fails."""

    __slots__ = ("edns", "offset", "question", "seen", "signed", "wire")

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.offset = HEADER
        self.question: Question | None = None
        self.edns: Edns | None = None
        self.signed = False
        self.seen: dict[int, bytes] = {}

    def read_question(self) -> Question:
        name, offset = read_name(self.wire, self.offset)
        if offset + 4 > len(self.wire):
            raise FormError("question: cut off by the end of the message")
        qtype, qclass = _TYPE_CLASS.unpack_from(self.wire, offset)
        self.offset = offset + 4
        self.question = question = Question(name, qtype, qclass)
        return question

    def read_for_refusal(self, questions: int, others: int, additional: int) -> str:
        """Read what the error reply repeats, a lone question and the OPT record, and say what is wrong."""
        if questions <= _MAX_QUESTIONS_READ:
            for _ in range(questions):
                self.read_question()
            if questions != 1:
                self.question = None
            self.read_records(others, additional)
        return f"question: exactly one is wanted (RFC 9619); found {questions}"

    def read_records(self, others: int, additional: int) -> None:
        """Walk answer, authority and additional records, of which only OPT matters, to the end of the message."""
        wire, total = self.wire, len(self.wire)
        for left in range(others + additional, 0, -1):
            owner, offset = read_name(wire, self.offset, self.seen)
            if offset + 10 > total:
                raise FormError(f"record at octet {self.offset}: cut off by the end of the message")
            rtype, rclass, ttl, rdlength = _RECORD.unpack_from(wire, offset)
            offset += 10
            end = offset + rdlength
            if end > total:
                raise FormError(f"record at octet {self.offset}: its data pass the end of the message")
            if rtype == QType.OPT:
                self._read_opt(owner, rclass, ttl, offset, end, is_additional=left <= additional)
            elif rtype in _SIGNATURES:
                self.signed = True
            self.offset = end
        if self.offset != total:
            raise FormError(f"{total - self.offset} octets after the end of the message")

    def _read_opt(self, owner: bytes, payload: int, ttl: int, offset: int, end: int, *, is_additional: bool) -> None:
        if self.edns is not None:
            raise FormError("OPT: at most one is allowed (RFC 6891, section 6.1.1)")
        version, do = ttl >> 16 & 0xFF, ttl & DO_BIT != 0
        # Known before its options are: an error in them is answered with an OPT record too.
        self.edns = Edns(payload, version, do)
        if owner != b"\0" or not is_additional:
            raise FormError("OPT: must be owned by the root and stand in the additional section")
        # The options of another version are not ours to judge: BADVERS comes first.
        if version == 0 and offset != end:
            self.edns = Edns(payload, version, do, read_options(self.wire, offset, end))
