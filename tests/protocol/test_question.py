"""Queries as clients send them, well and badly."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdatatype
import dns.tsigkeyring
import pytest

from sinkhole.errors import FormError
from sinkhole.protocol.question import BadQuery, Silence, read_query
from sinkhole.protocol.types import Opcode, QType, Rcode
from tests.cost import least_cost

QNAME = b"\x03wWw\x07eXample\x03org\x00"
ASK = QNAME + b"\0\1\0\1"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def header(counts: tuple[int, int, int, int] = (1, 0, 0, 0), flags: int = 0x0100) -> bytes:
    return struct.pack("!6H", 0x1234, flags, *counts)


def opt(
    data: bytes = b"", *, version: int = 0, flags: int = 0, payload: int = 1232, length: int | None = None
) -> bytes:
    return struct.pack("!BHHBBHH", 0, 41, payload, 0, version, flags, len(data) if length is None else length) + data


def refused(wire: bytes) -> BadQuery:
    with pytest.raises(BadQuery) as caught:
        read_query(wire)
    return caught.value


def test_query_of_dnspython_is_read():
    wire = dns.message.make_query("wWw.eXample.org", "AAAA", use_edns=0, payload=4096, want_dnssec=True).to_wire()
    query = read_query(wire)
    assert query.question.name == QNAME
    assert query.question.key == QNAME.lower()
    assert (query.question.qtype, query.question.qclass) == (QType.AAAA, 1)
    assert (query.id, query.opcode) == (int.from_bytes(wire[:2], "big"), Opcode.QUERY)
    assert query.edns is not None
    assert (query.edns.payload, query.edns.version, query.edns.do, query.edns.options) == (4096, 0, True, ())
    assert not query.signed


@pytest.mark.parametrize(("bit", "field"), [(0x0100, "rd"), (0x20, "ad"), (0x10, "cd")])
def test_flags_are_read(bit: int, field: str):
    """R-W21: RD, AD and CD of the query."""
    assert getattr(read_query(header(flags=bit) + ASK), field) is True
    assert getattr(read_query(header(flags=0x0130 & ~bit) + ASK), field) is False


def test_reserved_flags_are_ignored():
    """R-W17: unknown flags, in the header (Z) and in OPT, change nothing."""
    plain = read_query(header((1, 0, 0, 1)) + ASK + opt())
    assert read_query(header((1, 0, 0, 1), 0x0140) + ASK + opt(flags=0x7FFF)) == plain


@pytest.mark.parametrize("octets", range(12))
def test_less_than_a_header_is_met_with_silence(octets: int):
    """R-W03: runts of 0 to 11 octets."""
    with pytest.raises(Silence):
        read_query((header() + ASK)[:octets])


def test_responses_are_met_with_silence():
    """R-W02: QR=1, whatever else is in it."""
    for wire in (header(flags=0x8180) + ASK, header((0, 0, 0, 0), 0xFFFF), header((9, 9, 9, 9), 0x8000)):
        with pytest.raises(Silence):
            read_query(wire)


@pytest.mark.parametrize(("count", "body"), [(0, b""), (2, ASK + ASK), (65535, ASK), (5, ASK * 5)])
def test_exactly_one_question_is_wanted(count: int, body: bytes):
    """R-W04: QDCOUNT other than 1 is FORMERR (RFC 9619)."""
    error = refused(header((count, 0, 0, 0)) + body)
    assert error.rcode == Rcode.FORMERR
    assert error.question is None
    assert (error.id, error.rd) == (0x1234, True)


def test_opt_is_known_when_the_number_of_questions_is_wrong():
    """R-W14: the error answer then has OPT too."""
    assert refused(header((0, 0, 0, 1)) + OPT).edns is not None
    assert refused(header((2, 0, 0, 1)) + ASK + ASK + OPT).edns is not None


FULL = header((1, 0, 1, 2)) + ASK + b"\xc0\x0c\0\6\0\1\0\0\0\0\0\0" + OPT + b"\0\xff\x00\0\1\0\0\0\0\0\2ab"


def test_a_full_query_is_read():
    assert read_query(FULL).edns is not None


@pytest.mark.parametrize("cut", range(12, len(FULL)))
def test_query_cut_at_any_octet_is_refused(cut: int):
    """R-W05: truncated name, type, class or record."""
    error = refused(FULL[:cut])
    assert error.rcode == Rcode.FORMERR
    assert (error.question is not None) == (cut >= 12 + len(ASK))


@pytest.mark.parametrize("target", [0, 11, 12, 13, 14, 200, 0x3FFF])
def test_pointer_in_the_question_is_refused(target: int):
    """R-W06: there is no earlier name to lead to."""
    assert refused(header() + (0xC000 | target).to_bytes(2, "big") + b"\0\1\0\1").rcode == Rcode.FORMERR
    assert refused(header() + b"\1a" + (0xC000 | target).to_bytes(2, "big") + b"\0\1\0\1").rcode == Rcode.FORMERR


@pytest.mark.parametrize("name", [b"\x40" + b"a" * 64 + b"\0", b"\x80a\0", (b"\x3f" + b"a" * 63) * 4 + b"\0"])
def test_impossible_names_are_refused(name: bytes):
    """R-W07: label types 01 and 10, names over 255."""
    assert refused(header() + name + b"\0\1\0\1").rcode == Rcode.FORMERR


@pytest.mark.parametrize("octets", [b"\0", b".", b" ", b"\xff", b"<", b"\n"])
def test_any_octet_may_stand_in_a_label(octets: bytes):
    """R-W08: names come out of a query as they went in."""
    name = b"\x03a" + octets + b"z\x07example\x00"
    assert read_query(header() + name + b"\0\1\0\1").question.name == name


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
def test_other_opcodes_are_not_implemented(opcode: int):
    """R-W09: NOTIFY, UPDATE, STATUS, IQUERY, DSO."""
    for wire in (ASK, b"", ASK + b"garbage"):
        error = refused(header((1 if wire else 0, 0, 0, 0), opcode << 11) + wire)
        assert (error.rcode, error.opcode) == (Rcode.NOTIMP, opcode)
    assert refused(header((1, 0, 0, 1), opcode << 11) + ASK + OPT).edns is not None


def test_update_of_dnspython_is_not_implemented():
    """R-W09: an UPDATE as a real client writes it."""
    message = dns.message.make_query("example.org", "SOA")
    message.set_opcode(dns.opcode.UPDATE)
    error = refused(message.to_wire())
    assert (error.rcode, error.opcode, error.question) == (Rcode.NOTIMP, Opcode.UPDATE, None)


def test_trailing_octets_are_refused():
    assert refused(header() + ASK + b"\0").rcode == Rcode.FORMERR
    assert refused(header((1, 0, 0, 1)) + ASK + OPT + b"\0").rcode == Rcode.FORMERR


@pytest.mark.parametrize("version", [1, 100, 255])
def test_other_edns_versions_are_refused(version: int):
    """R-W15: BADVERS, whatever the options look like."""
    for data in (b"", b"\1"):
        error = refused(header((1, 0, 0, 1)) + ASK + opt(data, version=version))
        assert error.rcode == Rcode.BADVERS
        assert error.question is not None
        assert error.edns is not None


def test_two_opt_records_are_refused():
    """R-W16: and the answer still has one."""
    error = refused(header((1, 0, 0, 2)) + ASK + OPT + OPT)
    assert (error.rcode, error.edns is not None) == (Rcode.FORMERR, True)


def test_opt_owned_by_a_name_is_refused():
    assert refused(header((1, 0, 0, 1)) + ASK + b"\xc0\x0c" + OPT[1:]).rcode == Rcode.FORMERR


@pytest.mark.parametrize("counts", [(1, 1, 0, 0), (1, 0, 1, 0)])
def test_opt_outside_the_additional_section_is_refused(counts: tuple[int, int, int, int]):
    assert refused(header(counts) + ASK + OPT).rcode == Rcode.FORMERR


def test_unknown_options_are_read_and_nothing_more():
    """R-W17, R-W24: option 65001 and a lone client cookie do no harm."""
    message = dns.message.make_query("example.org", "A", use_edns=0)
    message.use_edns(0, options=[dns.edns.GenericOption(65001, b"abc"), dns.edns.GenericOption(10, b"12345678")])
    query = read_query(message.to_wire())
    assert query.edns is not None
    assert query.edns.options == ((65001, b"abc"), (10, b"12345678"))


@pytest.mark.parametrize("data", [b"\0", b"\0\1\0", b"\0\1\0\1", b"\0\1\xff\xff", b"\0\1\0\0\0"])
def test_option_past_the_end_of_its_record_is_refused(data: bytes):
    """R-W17: option lengths are checked against RDLENGTH."""
    error = refused(header((1, 0, 0, 1)) + ASK + opt(data))
    assert (error.rcode, error.edns is not None) == (Rcode.FORMERR, True)


def test_rdlength_past_the_end_of_the_packet_is_refused():
    """R-W17: RDLENGTH is checked against the packet."""
    assert refused(header((1, 0, 0, 1)) + ASK + opt(b"\0\1\0\0", length=5)).rcode == Rcode.FORMERR


def test_15000_empty_options_are_cheap():
    """R-W17: they are refused without reading them all."""
    wire = header((1, 0, 0, 1)) + ASK + opt(b"\xfd\xe9\0\0" * 15000)
    assert refused(wire).rcode == Rcode.FORMERR
    assert least_cost(lambda: [refused(wire) for _ in range(100)]) < 0.5


def test_as_many_options_as_anyone_needs_are_read():
    query = read_query(header((1, 0, 0, 1)) + ASK + opt(b"\xfd\xe9\0\0" * 128))
    assert query.edns is not None
    assert len(query.edns.options) == 128


def test_hostile_records_cost_no_more_than_their_octets():
    """R-W06: five thousand additional records with compressed owners."""
    count = 5000
    wire = header((1, 0, 0, count)) + b"\1a" * 120 + b"\0\0\1\0\1" + (b"\xc0\x0c" + bytes(10)) * count
    assert least_cost(lambda: read_query(wire)) < 0.1


def test_signed_queries_are_known_as_such():
    """R-W10: dispatch refuses what it cannot verify."""
    message = dns.message.make_query("example.org", "A")
    message.use_tsig(dns.tsigkeyring.from_text({"key.example.": "c2VjcmV0"}), "key.example.")
    assert read_query(message.to_wire()).signed


@pytest.mark.parametrize("qtype", ["AXFR", "IXFR", "TKEY", "MAILB", "MAILA", "ANY"])
def test_transfer_types_are_read_for_dispatch_to_refuse(qtype: str):
    """R-W10: they are well-formed questions."""
    wire = header() + QNAME + struct.pack("!HH", dns.rdatatype.from_text(qtype), 1)
    assert read_query(wire).question.qtype == dns.rdatatype.from_text(qtype)


@pytest.mark.parametrize("qclass", [0, 3, 254, 255, 1234, 65535])
def test_any_class_is_read(qclass: int):
    """R-W11: classes other than IN never crash."""
    assert read_query(header() + QNAME + struct.pack("!HH", 16, qclass)).question.qclass == qclass


def test_errors_are_form_errors():
    assert issubclass(BadQuery, FormError)
    assert issubclass(Silence, FormError)
