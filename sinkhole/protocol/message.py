"""Whole messages: what upstreams answer, and what we ask them."""

import struct
from collections.abc import Iterable
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.edns import DO_BIT, Edns, read_options, write_opt
from sinkhole.protocol.expansion import ADDRESS_OCTETS, NAMES_IN, expand_names
from sinkhole.protocol.names import read_name
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QClass, QType
from sinkhole.protocol.value import value

_HEADER: Final = struct.Struct("!6H")
_TYPE_CLASS: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_MAX_TTL: Final = 0x7FFFFFFF


@value(frozen=True, slots=True)
class Record:
    """A resource record; names in its data are uncompressed, all else is byte for byte as received (RFC 3597)."""

    owner: bytes
    rtype: int
    rclass: int
    ttl: int
    rdata: bytes


@value(frozen=True, slots=True)
class Message:
    """A whole message; `rcode` has 12 bits where an OPT record extends it, OPT itself is `edns` and no record."""

    id: int
    opcode: int
    rcode: int
    qr: bool
    aa: bool
    tc: bool
    rd: bool
    ra: bool
    ad: bool
    cd: bool
    question: Question | None
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    edns: Edns | None = None


def read_message(wire: bytes) -> Message:
    """Read a message strictly, to its last octet.

    Raises:
        FormError: anything in it is not as it must be.
    """
    if len(wire) < _HEADER.size:
        raise FormError(f"header: 12 octets are wanted; found {len(wire)}")
    ident, flags, qdcount, ancount, nscount, arcount = _HEADER.unpack_from(wire)
    if qdcount > 1:
        raise FormError(f"question: at most one is wanted (RFC 9619); found {qdcount}")
    question, offset = None, _HEADER.size
    seen: dict[int, bytes] = {}
    if qdcount:
        name, offset = read_name(wire, offset)
        # Most owners of an answer are one pointer to the name asked.
        seen[_HEADER.size] = name
        if offset + 4 > len(wire):
            raise FormError("question: cut off by the end of the message")
        question = Question(name, *_TYPE_CLASS.unpack_from(wire, offset))
        offset += 4
    records = _Records(wire, offset, seen)
    answer = records.read(ancount)
    authority = records.read(nscount)
    if records.has_opt:
        raise FormError("OPT: must stand in the additional section")
    additional = records.read(arcount)
    if records.offset != len(wire):
        raise FormError(f"{len(wire) - records.offset} octets after the end of the message")
    return Message(
        id=ident,
        opcode=flags >> 11 & 0xF,
        rcode=records.extended_rcode << 4 | flags & 0xF,
        qr=flags & 0x8000 != 0,
        aa=flags & 0x400 != 0,
        tc=flags & 0x200 != 0,
        rd=flags & 0x100 != 0,
        ra=flags & 0x80 != 0,
        ad=flags & 0x20 != 0,
        cd=flags & 0x10 != 0,
        question=question,
        answer=answer,
        authority=authority,
        additional=additional,
        edns=records.edns,
    )


class _Records:
    """One pass over the records of a message; names read once are remembered, so it is linear in the message."""

    __slots__ = ("edns", "extended_rcode", "offset", "seen", "wire")

    def __init__(self, wire: bytes, offset: int, seen: dict[int, bytes]) -> None:
        self.wire = wire
        self.offset = offset
        self.edns: Edns | None = None
        self.extended_rcode = 0
        self.seen = seen

    @property
    def has_opt(self) -> bool:
        """Whether there was an OPT record up to now."""
        return self.edns is not None

    def read(self, count: int) -> tuple[Record, ...]:
        """Read one section."""
        if not count:
            return ()
        wire, total, seen = self.wire, len(self.wire), self.seen
        records = []
        for _ in range(count):
            owner, offset = read_name(wire, self.offset, seen)
            if offset + 10 > total:
                raise FormError(f"record at octet {self.offset}: cut off by the end of the message")
            rtype, rclass, ttl, rdlength = _RECORD.unpack_from(wire, offset)
            offset += 10
            end = offset + rdlength
            if end > total:
                raise FormError(f"record at octet {self.offset}: its data pass the end of the message")
            self.offset = end
            if rtype == QType.OPT:
                self._read_opt(owner, rclass, ttl, offset, end)
                continue
            if rtype in NAMES_IN:
                rdata = expand_names(wire, rtype, offset, end, seen)
            else:
                rdata = wire[offset:end]
                if rtype in ADDRESS_OCTETS and rclass == QClass.IN and rdlength != ADDRESS_OCTETS[rtype]:
                    raise FormError(f"address at octet {offset}: wrong length {rdlength}")
            # "treat TTL values received with the most significant bit set as if the entire value received was
            # zero" (RFC 2181, section 8)
            records.append(Record(owner, rtype, rclass, ttl if ttl <= _MAX_TTL else 0, rdata))
        return tuple(records)

    def _read_opt(self, owner: bytes, payload: int, ttl: int, offset: int, end: int) -> None:
        if self.edns is not None or owner != b"\0":
            raise FormError("OPT: at most one, owned by the root (RFC 6891, section 6.1)")
        options = read_options(self.wire, offset, end) if offset != end else ()
        self.edns = Edns(payload, ttl >> 16 & 0xFF, ttl & DO_BIT != 0, options)
        self.extended_rcode = ttl >> 24


def write_query(
    question: Question,
    *,
    id: int,  # noqa: A002 the field's name in RFC 1035
    rd: bool = True,
    cd: bool = False,
    ad: bool = False,
    do: bool = False,
    payload: int = 1232,
    options: Iterable[tuple[int, bytes]] = (),
    edns: bool = True,
) -> bytes:
    """Write a query for an upstream.

    Args:
        question: the name goes out in exactly its letter case.
        id: the message id.
        rd, cd, ad: header flags.
        do, payload, options: what the OPT record says.
        edns: False leaves the OPT record out, and with it the three before.
    """
    flags = (0x100 if rd else 0) | (0x20 if ad else 0) | (0x10 if cd else 0)
    return b"".join(
        (
            _HEADER.pack(id, flags, 1, 0, 0, 1 if edns else 0),
            question.name,
            _TYPE_CLASS.pack(question.qtype, question.qclass),
            write_opt(payload, do=do, options=options) if edns else b"",
        )
    )
