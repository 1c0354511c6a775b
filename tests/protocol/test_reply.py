"""Replies, read by dnspython."""

import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.protocol.edns import Edns
from sinkhole.protocol.message import Record, read_message
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import BadQuery, QueryMessage, Question, Silence, read_query
from sinkhole.protocol.rdata import address_record, records_from_text, soa_record, txt_record
from sinkhole.protocol.reply import Ede, ReplyBody, reply_limit, write_error, write_reply
from sinkhole.protocol.types import EdeCode, QType, Rcode

QNAME = name_from_text("wWw.eXample.org")
ADDRESS = address_record(QNAME, "192.0.2.1", 60)


def ask(edns: Edns | None = None, qtype: int = QType.A, name: bytes = QNAME, **flags: bool) -> QueryMessage:
    return QueryMessage(
        0x1234, 0, flags.get("rd", True), flags.get("ad", False), flags.get("cd", False), Question(name, qtype), edns
    )


def reply(query: QueryMessage, body: ReplyBody, max_size: int = 1232) -> dns.message.Message:
    wire = write_reply(query, body, max_size=max_size)
    assert len(wire) <= max_size
    return dns.message.from_wire(wire)


def texts(message: dns.message.Message) -> list[str]:
    return [text for rrset in message.answer for text in rrset.to_text().splitlines()]


def test_reply_repeats_id_question_and_rd():
    """R-W01: exact letter case; QR and RA set, Z clear."""
    for rd in (True, False):
        query = ask(rd=rd)
        wire = write_reply(query, ReplyBody(Rcode.NOERROR, (ADDRESS,)), max_size=512)
        assert wire[:2] == b"\x12\x34"
        assert wire[2:4] == (b"\x81\x80" if rd else b"\x80\x80")
        assert wire[12 : 12 + len(QNAME) + 4] == QNAME + b"\0\1\0\1"


def test_dnspython_accepts_the_reply_to_its_own_query():
    """R-W01: id, question and flags fit for a strict client."""
    query = dns.message.make_query("wWw.eXample.org", "A", use_edns=0)
    wire = write_reply(read_query(query.to_wire()), ReplyBody(Rcode.NOERROR, (ADDRESS,)), max_size=512)
    answer = dns.message.from_wire(wire)
    assert query.is_response(answer)
    assert texts(answer) == ["wWw.eXample.org. 60 IN A 192.0.2.1"]


@pytest.mark.parametrize("edns", [None, Edns(1232), Edns(4096, do=True, options=((65001, b"x"),))])
@pytest.mark.parametrize("rcode", [Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.SERVFAIL, Rcode.REFUSED])
def test_opt_goes_out_if_it_came_in(edns: Edns | None, rcode: int):
    """R-W14, R-W17, R-W20: DO copied, options and reserved flags not echoed, version 0."""
    message = reply(ask(edns), ReplyBody(rcode))
    assert message.rcode() == rcode
    assert message.edns == (-1 if edns is None else 0)
    assert message.ednsflags == (0x8000 if edns and edns.do else 0)
    assert message.options == ()


def test_options_given_go_out_with_opt_only():
    keepalive = ((11, b"\0\x64"),)
    with_opt = dns.message.from_wire(write_reply(ask(Edns(512)), ReplyBody(0), max_size=512, options=keepalive))
    assert [int(option.otype) for option in with_opt.options] == [11]
    assert dns.message.from_wire(write_reply(ask(), ReplyBody(0), max_size=512, options=keepalive)).edns == -1


def test_own_payload_is_announced():
    assert (
        dns.message.from_wire(write_reply(ask(Edns(512)), ReplyBody(0), max_size=512, own_payload=1400)).payload == 1400
    )


def test_extended_response_code_needs_opt():
    assert reply(ask(Edns(512)), ReplyBody(Rcode.BADCOOKIE)).rcode() == Rcode.BADCOOKIE
    assert reply(ask(), ReplyBody(Rcode.BADCOOKIE)).rcode() == Rcode.SERVFAIL


@pytest.mark.parametrize("cd", [True, False])
def test_cd_is_copied(cd: bool):
    """R-W21: CD copied."""
    assert bool(reply(ask(cd=cd), ReplyBody(0)).flags & dns.flags.CD) is cd


@pytest.mark.parametrize(
    ("query", "ad", "sent"),
    [
        (ask(), True, False),
        (ask(ad=True), True, True),
        (ask(Edns(512, do=True)), True, True),
        (ask(ad=True), False, False),
        (ask(Edns(512, do=True)), False, False),
    ],
)
def test_ad_goes_to_those_who_ask(query: QueryMessage, ad: bool, sent: bool):
    """R-W21: RFC 6840, section 5.8."""
    assert bool(reply(query, ReplyBody(0, ad=ad)).flags & dns.flags.AD) is sent


def test_aa_comes_from_the_body():
    assert reply(ask(), ReplyBody(0, aa=True)).flags & dns.flags.AA


SIGNED = (
    ADDRESS,
    Record(QNAME, QType.RRSIG, 1, 60, b"\0\1\x08\2" + bytes(14) + b"\0" + b"sig"),
    Record(QNAME, QType.NSEC, 1, 60, b"\0\0\1\x40"),
    Record(QNAME, QType.NSEC3, 1, 60, b"\1\0\0\0\0\1a\0\1\x40"),
    Record(QNAME, QType.DNSKEY, 1, 60, b"\1\0\3\x08key"),
)


def test_dnssec_records_go_only_to_those_who_want_them():
    """R-W20: RFC 4035, section 3.2.1; in every section, from a cache filled by a DO client too."""
    body = ReplyBody(0, SIGNED, SIGNED, SIGNED)
    with_do = read_message(write_reply(ask(Edns(4096, do=True)), body, max_size=4096))
    plain = read_message(write_reply(ask(Edns(4096)), body, max_size=4096))
    assert (with_do.answer, with_do.authority, with_do.additional) == (SIGNED, SIGNED, SIGNED)
    for section in (plain.answer, plain.authority, plain.additional):
        assert [record.rtype for record in section] == [QType.A, QType.DNSKEY]


@pytest.mark.parametrize("qtype", [QType.RRSIG, QType.NSEC, QType.NSEC3])
def test_dnssec_records_asked_by_type_are_sent(qtype: int):
    """R-W20: "unless explicitly requested"."""
    found = read_message(write_reply(ask(qtype=qtype), ReplyBody(0, SIGNED), max_size=4096))
    assert [record.rtype for record in found.answer] == [QType.A, qtype, QType.DNSKEY]


LINES = (
    "www.example.org 60 CNAME Edge.example.net",
    "edge.example.net 60 MX 10 mx.edge.example.net",
    "example.org 60 NS ns.example.org",
    "1.2.0.192.in-addr.arpa 60 PTR www.example.org",
    "_sip._tcp.example.org 60 SRV 1 2 3 sip.example.org",
    "example.net 60 DNAME example.org",
    ". 60 NS .",
)


def test_names_are_compressed_where_that_is_allowed():
    """R-W12: owners and data of RFC 1035's types only (RFC 3597, section 4)."""
    records = tuple(record for line in LINES for record in records_from_text(line))
    records += (soa_record(name_from_text("example.org"), 10, 60),)
    wire = write_reply(ask(), ReplyBody(0, records), max_size=4096)
    assert len(dns.message.from_wire(wire).answer) == len(records)
    found = read_message(wire).answer
    assert [(r.owner.lower(), r.rtype, r.ttl, r.rdata.lower()) for r in found] == [
        (r.owner.lower(), r.rtype, r.ttl, r.rdata.lower()) for r in records
    ]
    assert len(wire) == 12 + 21 + (2 + 10 + 18) + (2 + 10 + 7) + (2 + 10 + 5) + (24 + 10 + 2) + (12 + 10 + 6 + 17) + (
        2 + 10 + 13
    ) + (1 + 10 + 1) + (2 + 10 + 2 + 16 + 20)
    assert name_from_text("sip.example.org") in wire
    assert name_from_text("example.org") in wire


def test_names_beyond_the_reach_of_a_pointer_are_written_out():
    """RFC 1035, section 4.1.4: a pointer has 14 bits."""
    far = name_from_text("far.example.net")
    records = (
        txt_record(QNAME, "x" * 17000, 1),
        address_record(far, "192.0.2.1", 1),
        address_record(far, "192.0.2.2", 1),
    )
    wire = write_reply(ask(), ReplyBody(0, records), max_size=65535)
    assert [record.owner for record in read_message(wire).answer] == [QNAME, far, far]
    assert wire.count(far) == 2


def big(records: int) -> tuple[Record, ...]:
    return tuple(txt_record(QNAME, "x" * 200, 60) for _ in range(records))


@pytest.mark.parametrize("edns", [None, Edns(512), Edns(1232)])
def test_what_does_not_fit_is_truncated(edns: Edns | None):
    """R-W19: TC, question and OPT kept, counts agree."""
    query = ask(edns, cd=True)
    message = reply(query, ReplyBody(0, big(9), big(1), big(1), aa=True), max_size=reply_limit(query, False, 1232))
    assert message.flags & dns.flags.TC
    assert message.flags & dns.flags.AA
    assert (message.answer, message.authority, message.additional) == ([], [], [])
    assert len(message.question) == 1
    assert (message.edns == -1) is (edns is None)


def test_additional_records_go_before_anything_is_truncated():
    """R-W19: RFC 2181, section 9: TC is set only for what is required."""
    message = reply(ask(Edns(512)), ReplyBody(0, big(1), (), big(2)), max_size=512)
    assert not message.flags & dns.flags.TC
    assert (len(message.answer), len(message.additional)) == (1, 0)


@pytest.mark.parametrize("size", range(60, 700, 7))
def test_no_reply_passes_its_limit(size: int):
    """R-W18: at any limit that question and OPT themselves do not pass."""
    body = ReplyBody(0, big(2), (), (ADDRESS,), ede=(Ede(EdeCode.BLOCKED, "ü" * 40), Ede(EdeCode.FILTERED)))
    message = reply(ask(Edns(4096)), body, max_size=size)
    assert message.edns == 0


@pytest.mark.parametrize(
    ("edns", "limit"),
    [
        (None, 512),
        (Edns(0), 512),
        (Edns(511), 512),
        (Edns(512), 512),
        (Edns(1000), 1000),
        (Edns(1232), 1232),
        (Edns(4096), 1232),
        (Edns(65535), 1232),
    ],
)
def test_limit_is_the_lesser_of_client_and_cap(edns: Edns | None, limit: int):
    """R-W18: 512 without OPT, sizes under 512 count as 512, our own cap."""
    assert reply_limit(ask(edns), False, 1232) == limit
    assert reply_limit(ask(edns), True, 1232) == 65535


def ede_of(message: dns.message.Message) -> list[tuple[int, str | None]]:
    return [(int(option.code), option.text) for option in message.options]


def test_extended_errors_go_out_in_order():
    """R-W23: RFC 8914; several are allowed."""
    body = ReplyBody(Rcode.SERVFAIL, ede=(Ede(EdeCode.NETWORK_ERROR, "no answer"), Ede(EdeCode.CACHED_ERROR)))
    assert ede_of(reply(ask(Edns(1232)), body)) == [(23, "no answer"), (13, None)]
    assert reply(ask(), body).edns == -1


def test_text_of_an_extended_error_is_clean_utf8():
    """R-W23: no NUL, nothing that is no UTF-8."""
    body = ReplyBody(0, ede=(Ede(EdeCode.BLOCKED, "b\0ü\ud800"),))
    assert ede_of(reply(ask(Edns(1232)), body)) == [(15, "bü?")]


def test_extended_error_is_dropped_rather_than_the_answer():
    """R-W23: a name of 255 octets with payload 512; text first, then the code."""
    longest = name_from_text(".".join(["a" * 63] * 3 + ["b" * 61]))
    assert len(longest) == 255
    body = ReplyBody(0, (txt_record(longest, "x" * 170, 1),), ede=(Ede(15, "y" * 300),))
    message = reply(ask(Edns(512), name=longest), body, max_size=512)
    assert (len(message.answer), ede_of(message)) == (1, [(15, None)])
    body = ReplyBody(0, (txt_record(longest, "x" * 215, 1),), ede=(Ede(15, "y" * 300),))
    message = reply(ask(Edns(512), name=longest), body, max_size=512)
    assert (len(message.answer), ede_of(message)) == (1, [])
    assert not message.flags & dns.flags.TC


def refused(wire: bytes) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        read_query(wire)
    return caught.value


def test_error_reply_is_small_and_repeats_what_is_known():
    """R-W01, R-W14, R-W25: id, question, RD, CD, OPT."""
    query = dns.message.make_query("wWw.example.org", "A", use_edns=1, flags=dns.flags.RD | dns.flags.CD)
    query.id = 0x4321
    wire = query.to_wire()
    answer = write_error(refused(wire))
    message = dns.message.from_wire(answer)
    assert (message.id, message.rcode(), message.edns) == (0x4321, Rcode.BADVERS, 0)
    assert message.flags == dns.flags.QR | dns.flags.RA | dns.flags.RD | dns.flags.CD
    assert message.question == query.question
    assert len(answer) <= len(wire) + 100


def test_badvers_is_said_by_version_zero():
    """R-W15: no data."""
    for version in (1, 100, 255):
        query = dns.message.make_query("example.org", "A", use_edns=version, want_dnssec=True)
        message = dns.message.from_wire(write_error(refused(query.to_wire())))
        assert (message.rcode(), message.edns, message.ednsflags & 0xFFFF) == (Rcode.BADVERS, 0, 0x8000)
        assert message.answer == []


def test_opcode_is_echoed():
    """R-W09: NOTIMP."""
    answer = write_error(refused(struct.pack("!6H", 7, 4 << 11, 0, 0, 0, 0)))
    assert answer == struct.pack("!6H", 7, 0x8080 | 4 << 11 | 4, 0, 0, 0, 0)


@given(st.binary(max_size=60), st.sampled_from([0x0100, 0x2100, 0x0000]))
def test_error_replies_never_grow(rest: bytes, flags: int):
    """R-W25: whatever the query was."""
    wire = struct.pack("!2H", 9, flags) + rest
    try:
        read_query(wire)
    except BadQuery as error:
        answer = write_error(error)
        assert answer[:2] == wire[:2]
        assert answer[2] & 0x80
        assert len(answer) <= len(wire) + 12
        dns.message.from_wire(answer)
    except Silence:
        assert len(wire) < 12


def test_response_code_names_agree_with_dnspython():
    for name in ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "BADVERS", "BADCOOKIE"):
        assert dns.rcode.from_text(name) == getattr(Rcode, name)


def test_brief_text_stands_for_one_that_does_not_fit():
    """Shortened before it goes, and never at the cost of a record."""
    error = Ede(EdeCode.BLOCKED, "long " * 100, "short")
    body = ReplyBody(0, (ADDRESS,), ede=(error,))
    for size, text in ((1232, error.text), (200, "short"), (70, None)):
        message = reply(ask(Edns(1232)), body, size)
        assert [option.text for option in message.options] == [text]
        assert not message.flags & dns.flags.TC
        assert len(message.answer) == 1
