"""The only maker of replies: every answer to a client is written here, and fitted to what that client can take."""

import struct
from dataclasses import dataclass
from typing import Final

from sinkhole.protocol.edns import write_opt
from sinkhole.protocol.message import Record
from sinkhole.protocol.question import BadQuery, QueryMessage, Question
from sinkhole.protocol.types import OptionCode, QType, Rcode

OWN_PAYLOAD: Final = 1232
STREAM_LIMIT: Final = 65535
PLAIN_LIMIT: Final = 512

_HEADER: Final = struct.Struct("!6H")
_TYPE_CLASS: Final = struct.Struct("!HH")
_RECORD: Final = struct.Struct("!HHIH")
_QR, _AA, _TC, _RD, _RA, _AD, _CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10
_POINTER: Final = 0xC000
_TO_QUESTION: Final = b"\xc0\x0c"
_MAX_POINTER: Final = 0x3FFF
_ON_REQUEST: Final = frozenset((QType.RRSIG, QType.NSEC, QType.NSEC3))

# Only names in the data of RFC 1035's own types may be compressed (RFC 3597, section 4): octets before, names.
_COMPRESSED_IN: Final[dict[int, tuple[int, int]]] = {
    QType.NS: (0, 1),
    QType.CNAME: (0, 1),
    QType.SOA: (0, 2),
    QType.MB: (0, 1),
    QType.MG: (0, 1),
    QType.MR: (0, 1),
    QType.PTR: (0, 1),
    QType.MINFO: (0, 2),
    QType.MX: (2, 1),
}


@dataclass(frozen=True, slots=True)
class Ede:
    """An extended DNS error: its code and a text (RFC 8914); `brief` stands for a text that does not fit."""

    code: int
    text: str = ""
    brief: str = ""


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """What a reply says, before it is fitted to a client."""

    rcode: int
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    aa: bool = False
    ad: bool = False
    ede: tuple[Ede, ...] = ()


def reply_limit(query: QueryMessage, transport_is_stream: bool, cap: int) -> int:
    """Return how many octets a reply may have.

    Values below 512 count as 512 (RFC 6891, section 6.2.3), and without OPT it is 512 (RFC 1035, section 4.2.1).

    Args:
        query: what the client asked.
        transport_is_stream: it came over TCP, TLS or HTTPS.
        cap: our own ceiling for datagrams.
    """
    if transport_is_stream:
        return STREAM_LIMIT
    if query.edns is None or query.edns.payload <= PLAIN_LIMIT:
        return PLAIN_LIMIT
    return min(query.edns.payload, cap)


def write_reply(
    query: QueryMessage,
    body: ReplyBody,
    *,
    max_size: int,
    own_payload: int = OWN_PAYLOAD,
    options: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """Write the reply to a query.

    What does not fit goes in this order: texts of extended errors, for brief ones at first, those errors (RFC 8914,
    section 3), the additional section, and then all records, with TC set (RFC 2181, section 9). Question and OPT always
    stay.

    Args:
        query: what the client asked; id, question, RD and CD are repeated, OPT is answered with OPT.
        body: what to say; AD goes out only to a client that asked with AD or DO (RFC 6840, section 5.8).
        max_size: octets, from `reply_limit`.
        own_payload: the UDP payload size we announce.
        options: EDNS options to send besides the extended errors, if the client sent OPT.
    """
    edns = query.edns
    wants_dnssec = edns is not None and edns.do
    writer = _Writer(query.question, shows_dnssec=wants_dnssec)
    ancount = writer.write(body.answer)
    nscount = writer.write(body.authority)
    required = len(writer.wire)
    arcount = writer.write(body.additional)
    rcode = body.rcode
    flags = _QR | _RA | query.opcode << 11
    if query.rd:
        flags |= _RD
    if query.cd:
        flags |= _CD
    if body.aa:
        flags |= _AA
    if body.ad and (wants_dnssec or query.ad):
        flags |= _AD
    opt = b""
    if edns is not None:
        opt = write_opt(own_payload, do=edns.do, rcode=rcode, options=options)
    elif rcode > 0xF:
        rcode = Rcode.SERVFAIL  # without OPT there is no place for the upper bits; a bare NOERROR would be a lie
    wire = writer.wire
    if edns is not None and body.ede:
        opt = _explain(body.ede, opt, max_size - len(wire))
    if len(wire) + len(opt) > max_size:
        del wire[required:]
        arcount = 0
        if required + len(opt) > max_size:
            del wire[writer.start :]
            ancount = nscount = 0
            flags |= _TC
    wire += opt
    _HEADER.pack_into(wire, 0, query.id, flags | rcode & 0xF, 1, ancount, nscount, arcount + (1 if opt else 0))
    return bytes(wire)


def _explain(errors: tuple[Ede, ...], opt: bytes, room: int) -> bytes:
    """Put extended errors into an OPT record: with texts, with brief ones, without, or not at all, as there is room."""
    for attempt in range(3):
        parts = []
        for error in errors:
            # Text is UTF-8 "not null-terminated" (RFC 8914, section 2); what cannot be encoded becomes `?`.
            text = (error.text, error.brief, "")[attempt].replace("\0", "").encode(errors="replace")
            parts.append(struct.pack("!HHH", OptionCode.EDE, 2 + len(text), error.code) + text)
        added = b"".join(parts)
        if len(opt) + len(added) <= room:
            rdlength = int.from_bytes(opt[9:11], "big") + len(added)
            return opt[:9] + rdlength.to_bytes(2, "big") + opt[11:] + added
    return opt


class _Writer:
    """Appends records to a message and compresses their names."""

    __slots__ = ("asked", "offsets", "shows_dnssec", "start", "wanted", "wire")

    def __init__(self, question: Question, *, shows_dnssec: bool) -> None:
        name = question.name
        self.wire = bytearray(_HEADER.size)
        self.wire += name
        self.wire += _TYPE_CLASS.pack(question.qtype, question.qclass)
        self.start = len(self.wire)
        self.shows_dnssec = shows_dnssec
        self.wanted = question.qtype
        self.asked = name.lower()
        self.offsets: dict[bytes, int] = {}

    def _learn_question(self) -> None:
        """Remember where the name asked and each name above it stand; most replies never need it."""
        asked, at = self.asked, 0
        while length := asked[at]:
            self.offsets[asked[at:]] = _HEADER.size + at
            at += length + 1

    def write(self, records: tuple[Record, ...]) -> int:
        """Append a section; return how many records went in.

        DNSSEC records go only to those who ask for them (RFC 4035, section 3.2.1).
        """
        wire = self.wire
        count = 0
        for record in records:
            rtype, rdata = record.rtype, record.rdata
            if rtype in _ON_REQUEST and not self.shows_dnssec and rtype != self.wanted:
                continue
            count += 1
            self._write_name(record.owner)
            if rtype in _COMPRESSED_IN:
                fixed = len(wire)
                wire += _RECORD.pack(rtype, record.rclass, record.ttl, 0)
                self._write_data(rdata, *_COMPRESSED_IN[rtype])
                struct.pack_into("!H", wire, fixed + 8, len(wire) - fixed - 10)
            else:
                wire += _RECORD.pack(rtype, record.rclass, record.ttl, len(rdata))
                wire += rdata
        return count

    def _write_data(self, rdata: bytes, before: int, names: int) -> None:
        at = before
        self.wire += rdata[:at]
        for _ in range(names):
            end = at
            while length := rdata[end]:
                end += length + 1
            self._write_name(rdata[at : end + 1])
            at = end + 1
        self.wire += rdata[at:]

    def _write_name(self, name: bytes) -> None:
        wire, offsets = self.wire, self.offsets
        folded = name.lower()
        if folded == self.asked and len(folded) > 1:
            wire += _TO_QUESTION
            return
        if not offsets:
            self._learn_question()
        here = len(wire)
        at = 0
        while length := folded[at]:
            suffix = folded[at:] if at else folded
            known = offsets.get(suffix)
            if known is not None:
                wire += name[:at]
                wire += (_POINTER | known).to_bytes(2, "big")
                return
            if here + at <= _MAX_POINTER:
                offsets[suffix] = here + at
            at += length + 1
        wire += name


def write_error(error: BadQuery, own_payload: int = OWN_PAYLOAD) -> bytes:
    """Write the reply to a query that could not be accepted; it repeats the question if that could be read."""
    question, opt = b"", b""
    if error.question is not None:
        question = error.question.name + _TYPE_CLASS.pack(error.question.qtype, error.question.qclass)
    if error.edns is not None:
        opt = write_opt(own_payload, do=error.edns.do, rcode=error.rcode)
    flags = _QR | _RA | error.opcode << 11 | error.rcode & 0xF
    if error.rd:
        flags |= _RD
    if error.cd:
        flags |= _CD
    counts = (1 if question else 0, 0, 0, 1 if opt else 0)
    return _HEADER.pack(error.id, flags, *counts) + question + opt
