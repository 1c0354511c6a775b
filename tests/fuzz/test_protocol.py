"""Fuzz targets of protocol/: each input gives a value or a documented error, and quickly."""

import time
from collections.abc import Callable, Iterable
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import dns.tsigkeyring
import pytest

from sinkhole.errors import FormError
from sinkhole.protocol.framing import FrameReader, frame
from sinkhole.protocol.message import Message, read_message
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.protocol.presentation import record_to_text, records_from_text
from sinkhole.protocol.question import BadQuery, Silence, read_query
from sinkhole.protocol.rdata import cname_target, soa_minimum, svcb_parts
from sinkhole.protocol.reply import ReplyBody, reply_limit, write_error, write_reply
from sinkhole.protocol.ttl import aged, ttl_offsets
from tests.fuzz.mutator import mutations

COUNT: Final = 15_000
SECONDS: Final = 1.5
# One input of these sizes takes microseconds; this is what a loop that runs away passes, and a busy machine does not.
SLOW: Final = 0.25

LINES: Final = (
    "www.example.org. 300 IN CNAME a.example.net.",
    "a.example.net. 60 IN A 192.0.2.1",
    "a.example.net. 60 IN AAAA 2001:db8::1",
    "a.example.net. 60 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1",
    "example.org. 60 IN SOA ns.example.org. host.example.org. 1 2 3 4 5",
    "example.org. 60 IN MX 10 mx.example.org.",
    "_x._tcp.example.org. 60 IN SRV 1 2 3 a.example.org.",
    'example.org. 60 IN NAPTR 1 2 "u" "s" "!a!b!" a.example.org.',
    'example.org. 60 IN TXT "one" "two"',
    "example.org. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example.org. AAAA",
)


def queries() -> list[bytes]:
    """Write queries with all that may stand in one."""
    plain = dns.message.make_query("wWw.example.org", "A")
    edns = dns.message.make_query("www.example.org", "HTTPS", want_dnssec=True)
    options = dns.message.make_query("www.example.org", "AAAA")
    options.use_edns(0, options=[dns.edns.GenericOption(10, b"12345678"), dns.edns.GenericOption(65001, b"")])
    signed = dns.message.make_query("example.org", "ANY")
    signed.use_tsig(dns.tsigkeyring.from_text({"key.example.": "c2VjcmV0"}), "key.example.")
    return [message.to_wire() for message in (plain, edns, options, signed)]


def responses() -> list[bytes]:
    """Write responses with records of every form, alone and together."""
    made = []
    for lines in (*((line,) for line in LINES), LINES):
        message = dns.message.make_response(dns.message.make_query("www.example.org", "A", use_edns=0))
        for line in lines:
            owner, ttl, rclass, rtype, data = line.split(" ", 4)
            message.answer.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))
        made.append(message.to_wire())
    return made


def run(target: Callable[[bytes], object], seeds: list[bytes], seed: int) -> tuple[int, int]:
    """Give a target its inputs; return how many it accepted and how many it refused."""
    accepted = refused = 0
    for data in mutations(seeds, seed, count=COUNT, seconds=SECONDS):
        began = time.process_time()
        try:
            target(data)
            accepted += 1
        except FormError:
            refused += 1
        assert time.process_time() - began < SLOW, data.hex()
    return accepted, refused


def header_agrees(answer: bytes, query: bytes) -> None:
    """Check that this is an answer to that query, in a form that a stranger can read."""
    assert answer[:2] == query[:2]
    message = dns.message.from_wire(answer)
    assert message.flags & dns.flags.QR


def answer_query(wire: bytes) -> None:
    """Do what dispatch does with a packet."""
    try:
        query = read_query(wire)
    except BadQuery as error:
        answer = write_error(error)
        header_agrees(answer, wire)
        assert len(answer) <= len(wire) + 100
        return
    except Silence:
        assert len(wire) < 12 or wire[2] & 0x80
        raise
    records = read_message(responses()[0]).answer
    limit = reply_limit(query, False, 1232)
    answer = write_reply(query, ReplyBody(0, records), max_size=limit)
    header_agrees(answer, wire)
    assert len(answer) <= limit
    assert answer[12 : 12 + len(query.question.name)] == query.question.name


def relay_message(wire: bytes) -> None:
    """Do what the resolver does with an upstream's answer: read, inspect, write, age."""
    message = read_message(wire)
    inspect(message)
    query = read_query(queries()[1])
    answer = write_reply(query, ReplyBody(message.rcode & 0xF, message.answer, message.authority), max_size=65535)
    again = read_message(answer)
    assert [(r.rtype, r.rdata.lower()) for r in again.answer] == [(r.rtype, r.rdata.lower()) for r in message.answer]
    old = aged(answer, ttl_offsets(answer), 10**9)
    assert all(record.ttl <= 1_147_483_647 for record in read_message(old).answer)


def inspect(message: Message) -> None:
    """Look into every record in every way; data may be refused, but only as documented."""
    readers: Iterable[Callable[..., object]] = (svcb_parts, cname_target, soa_minimum)
    for record in (*message.answer, *message.authority, *message.additional):
        assert record_to_text(record).isprintable()
        assert name_from_text(name_to_text(record.owner)) == record.owner
        for read in readers:
            try:
                read(record)
            except FormError:
                continue


def read_line(data: bytes) -> None:
    """Read a line of an administrator, and what is written of it, to the same record."""
    for record in records_from_text(data.decode(errors="replace")):
        assert records_from_text(record_to_text(record)) == (record,)


def read_stream(data: bytes) -> None:
    """Feed a stream in two segments; nothing may be lost or invented."""
    reader = FrameReader()
    middle = len(data) // 2
    found = [*reader.feed(data[:middle]), *reader.feed(data[middle:])]
    assert data.startswith(b"".join(map(frame, found)))


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_queries_are_answered_or_met_with_silence(seed: int):
    """R-W26, R-W05, R-W25: each answer has QR=1, the right id, and is readable."""
    accepted, _ = run(answer_query, queries(), seed)
    assert accepted > 100


@pytest.mark.parametrize("seed", [3, 4])
def test_mutated_answers_are_relayed_or_refused(seed: int):
    """R-W26, R-W12: what is accepted goes out with the same data."""
    accepted, refused = run(relay_message, responses(), seed)
    assert accepted > 100
    assert refused > 100


def test_mutated_lines_are_records_or_refused():
    lines = [line.replace(". ", " ").encode() for line in LINES[:4] + LINES[5:7] + LINES[8:9]]
    accepted, refused = run(read_line, lines, 5)
    assert accepted > 100
    assert refused > 100


def test_mutated_streams_are_messages_or_refused():
    accepted, _ = run(read_stream, [frame(wire) for wire in queries()], 6)
    assert accepted > 100
