"""Whole messages, as upstreams write them."""

import struct

import dns.flags
import dns.message
import dns.rdata
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record, read_message, write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QType, Rcode
from tests.cost import least_cost

QNAME = name_from_text("www.example.org")
ASK = QNAME + b"\0\1\0\1"

# A record of each type whose names are to be decompressed (RFC 3597, section 4), as a zone file has it.
WITH_NAMES = {
    "NS": "ns.example.org.",
    "CNAME": "a.example.org.",
    "SOA": "ns.example.org. host.example.org. 1 2 3 4 5",
    "PTR": "a.example.org.",
    "MX": "10 mx.example.org.",
    "RP": "a.example.org. b.example.org.",
    "AFSDB": "1 a.example.org.",
    "RT": "1 a.example.org.",
    "PX": "1 a.example.org. b.example.org.",
    "SRV": "1 2 3 a.example.org.",
    "NAPTR": '1 2 "u" "E2U+sip" "!^.*$!sip:x@example.org!" a.example.org.',
    "KX": "1 a.example.org.",
    "DNAME": "a.example.org.",
}


def response(*lines: str, section: str = "answer", **edns: int) -> dns.message.Message:
    message = dns.message.make_response(dns.message.make_query("www.example.org", "A", **edns))
    getattr(message, section).extend(
        dns.rrset.from_text(*line.split(" ", 4)[:4], line.split(" ", 4)[4]) for line in lines
    )
    return message


def wire_of(rdata: bytes, rtype: int, *, rclass: int = 1, ttl: int = 60, owner: bytes = b"\xc0\x0c") -> bytes:
    record = owner + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata
    return struct.pack("!6H", 1, 0x8180, 1, 1, 0, 0) + ASK + record


def only(wire: bytes) -> Record:
    (record,) = read_message(wire).answer
    return record


def test_response_of_dnspython_is_read():
    message = response(
        "www.example.org. 300 IN CNAME edge.example.net.",
        "edge.example.net. 60 IN A 192.0.2.1",
        use_edns=0,
        payload=1232,
    )
    message.flags |= dns.flags.AA | dns.flags.AD | dns.flags.CD
    found = read_message(message.to_wire())
    edge = name_from_text("edge.example.net")
    assert found.question == Question(QNAME, 1, 1)
    assert found.answer == (
        Record(QNAME, QType.CNAME, 1, 300, edge),
        Record(edge, QType.A, 1, 60, bytes((192, 0, 2, 1))),
    )
    assert (found.qr, found.aa, found.tc, found.rd, found.ra, found.ad, found.cd) == (
        True,
        True,
        False,
        True,
        False,
        True,
        True,
    )
    assert found.edns is not None
    assert found.additional == ()


def test_sections_are_kept_apart():
    line = "example.org. 5 IN NS ns.example.org."
    assert len(read_message(response(line, section="authority").to_wire()).authority) == 1
    assert len(read_message(response(line, section="additional").to_wire()).additional) == 1


@pytest.mark.parametrize("rtype", WITH_NAMES)
def test_names_in_data_are_decompressed(rtype: str):
    """R-W12: RFC 3597, section 4; each name of the data is sent compressed here, as old servers do."""
    plain = dns.rdata.from_text("IN", rtype, WITH_NAMES[rtype]).to_wire()
    suffix = name_from_text("example.org")
    squeezed = plain.replace(suffix, b"\xc0\x10")
    assert squeezed != plain
    number = dns.rdatatype.from_text(rtype)
    assert only(wire_of(squeezed, number)).rdata == plain
    assert only(wire_of(plain, number)).rdata == plain


@pytest.mark.parametrize(
    ("number", "before", "names", "after"),
    [
        (3, 0, 1, 0),
        (4, 0, 1, 0),
        (7, 0, 1, 0),
        (8, 0, 1, 0),
        (9, 0, 1, 0),
        (14, 0, 2, 0),
        (24, 18, 1, 7),
        (30, 0, 1, 5),
    ],
    ids=["MD", "MF", "MB", "MG", "MR", "MINFO", "SIG", "NXT"],
)
def test_names_in_obsolete_data_are_decompressed(number: int, before: int, names: int, after: int):
    """R-W12: the types dnspython does not know."""
    squeezed = b"x" * before + b"\1a\xc0\x10" * names + b"y" * after
    plain = b"x" * before + (b"\1a" + name_from_text("example.org")) * names + b"y" * after
    assert only(wire_of(squeezed, number)).rdata == plain


@given(st.binary(max_size=80), st.sampled_from([QType.TXT, QType.SVCB, QType.HTTPS, QType.RRSIG, QType.NSEC, 65300]))
def test_other_data_pass_octet_for_octet(rdata: bytes, rtype: int):
    """R-W12: unknown types, binary TXT, SVCB with unknown keys."""
    assert only(wire_of(rdata, rtype)).rdata == rdata


@pytest.mark.parametrize(
    ("rtype", "octets"), [(QType.A, 3), (QType.A, 5), (QType.A, 0), (QType.AAAA, 15), (QType.AAAA, 4)]
)
def test_addresses_of_wrong_length_are_refused(rtype: int, octets: int):
    with pytest.raises(FormError, match="wrong length"):
        read_message(wire_of(bytes(octets), rtype))


def test_addresses_of_other_classes_have_their_own_form():
    assert only(wire_of(b"abc", QType.A, rclass=3)).rdata == b"abc"


@pytest.mark.parametrize(
    ("rtype", "rdata"),
    [
        (QType.CNAME, b""),
        (QType.CNAME, b"\1a"),
        (QType.CNAME, b"\1a\0x"),
        (QType.CNAME, b"\xc0\x30"),
        (QType.MX, b"\0"),
        (QType.MX, b"\0\1"),
        (QType.SOA, b"\0\0" + bytes(19)),
        (QType.SOA, b"\0\0" + bytes(21)),
        (QType.SOA, b"\0"),
        (QType.SRV, bytes(6)),
        (QType.NAPTR, bytes(4)),
        (QType.NAPTR, bytes(4) + b"\xff\0\0\0"),
        (QType.NAPTR, bytes(7)),
        (QType.SIG, bytes(18)),
    ],
)
def test_data_that_disagree_with_their_type_are_refused(rtype: int, rdata: bytes):
    with pytest.raises(FormError):
        read_message(wire_of(rdata, rtype))


def test_name_in_data_must_not_run_into_the_next_record():
    wire = wire_of(b"\1a", QType.CNAME) + b"\0"
    with pytest.raises(FormError, match="does not agree"):
        read_message(wire)


@pytest.mark.parametrize(("sent", "read"), [(0, 0), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, 0), (0xFFFFFFFF, 0)])
def test_ttl_with_its_top_bit_set_is_zero(sent: int, read: int):
    """RFC 2181, section 8."""
    assert only(wire_of(bytes(4), QType.A, ttl=sent)).ttl == read


def test_opt_extends_the_response_code():
    message = response(use_edns=0)
    message.set_rcode(Rcode.BADCOOKIE)
    assert read_message(message.to_wire()).rcode == Rcode.BADCOOKIE


OPT = struct.pack("!BHHIH", 0, 41, 1232, 0x8000, 4) + b"\0\x0a\0\0"


def with_opt(opt: bytes, counts: tuple[int, int, int]) -> bytes:
    return struct.pack("!6H", 1, 0x8180, 1, *counts) + ASK + opt


def test_opt_is_no_record():
    """R-W22: what the upstream says hop by hop stands apart from the records."""
    found = read_message(with_opt(OPT, (0, 0, 1)))
    assert found.additional == ()
    assert found.edns is not None
    assert (found.edns.do, found.edns.options) == (True, ((10, b""),))


@pytest.mark.parametrize(
    ("opt", "counts"),
    [
        (OPT, (1, 0, 0)),
        (OPT, (0, 1, 0)),
        (OPT + OPT, (0, 0, 2)),
        (b"\xc0\x0c" + OPT[1:], (0, 0, 1)),
        (OPT[:-1] + b"\1", (0, 0, 1)),
    ],
    ids=["answer", "authority", "twice", "owned", "option too long"],
)
def test_misplaced_opt_is_refused(opt: bytes, counts: tuple[int, int, int]):
    """R-W16, R-W17: of upstreams too."""
    with pytest.raises(FormError):
        read_message(with_opt(opt, counts))


def test_message_without_a_question_is_read():
    assert read_message(struct.pack("!6H", 1, 0x8181, 0, 0, 0, 0)).question is None


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        bytes(11),
        struct.pack("!6H", 1, 0x8180, 2, 0, 0, 0) + ASK + ASK,
        struct.pack("!6H", 1, 0x8180, 1, 0, 0, 0) + ASK + b"\0",
        struct.pack("!6H", 1, 0x8180, 0, 0, 0, 0) + ASK,
    ],
    ids=["empty", "runt", "two questions", "trailing", "uncounted"],
)
def test_malformed_messages_are_refused(wire: bytes):
    with pytest.raises(FormError):
        read_message(wire)


FULL = response(
    "www.example.org. 300 IN CNAME a.example.org.", "a.example.org. 60 IN NAPTR 1 2 u s r b.example.org.", use_edns=0
).to_wire()


@pytest.mark.parametrize("cut", range(len(FULL)))
def test_message_cut_at_any_octet_is_refused(cut: int):
    """R-W05: of upstreams too."""
    with pytest.raises(FormError):
        read_message(FULL[:cut])


def test_hostile_message_costs_no_more_than_its_octets():
    """R-W06: thousands of records whose owner and data are the longest of names."""
    count = 4500
    long = b"\1a" * 120 + b"\0\0\1\0\1"
    records = (b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 1, 2) + b"\xc0\x0c") * count
    wire = struct.pack("!6H", 1, 0x8180, 1, count, 0, 0) + long + records
    assert len(read_message(wire).answer) == count
    assert least_cost(lambda: read_message(wire)) < 0.2


@pytest.mark.parametrize("flag", ["rd", "cd", "ad"])
@pytest.mark.parametrize("value", [True, False])
def test_flags_of_a_query_are_as_told(flag: str, value: bool):
    """R-W21: for dnspython."""
    asked = dns.message.from_wire(write_query(Question(QNAME, 1), id=7, **{flag: value}))
    assert bool(asked.flags & dns.flags.from_text(flag.upper())) is value
    assert (asked.id, asked.opcode(), len(asked.question)) == (7, 0, 1)


def test_query_goes_out_in_its_letter_case():
    wire = write_query(Question(b"\x03wWw\x00", QType.TXT, 3), id=1)
    assert wire[12:21] == b"\x03wWw\x00\0\x10\0\3"


def test_query_says_in_opt_what_it_is_told():
    """R-W22: our own payload, DO and options, nothing else."""
    asked = dns.message.from_wire(
        write_query(Question(QNAME, 1), id=1, do=True, payload=1400, options=((12, b"\0\0"), (65001, b"x")))
    )
    assert (asked.edns, asked.payload, asked.ednsflags) == (0, 1400, 0x8000)
    assert [(int(option.otype), option.to_wire()) for option in asked.options] == [(12, b"\0\0"), (65001, b"x")]


def test_query_without_edns_has_no_opt():
    asked = dns.message.from_wire(write_query(Question(QNAME, 1), id=1, do=True, edns=False))
    assert asked.edns == -1
