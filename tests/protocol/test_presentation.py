"""Records as text; dnspython says what the text ought to mean."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zonefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.protocol.expansion import check_rdata
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.presentation import record_to_text, records_from_text
from sinkhole.protocol.types import QType

OWNER = name_from_text("example.org")

DATA = {
    "A": ["192.0.2.1"],
    "AAAA": ["2001:db8::1", "::ffff:192.0.2.1"],
    "CNAME": ["a.example.net.", r"a\.b\032.example.net."],
    "DNAME": ["example.net."],
    "PTR": ["www.example.org."],
    "NS": ["ns.example.org."],
    "MX": ["10 mx.example.org.", "0 ."],
    "SRV": ["1 2 443 a.example.org."],
    "TXT": ["plain", '"a b" "c"', r'"q\"uo\092te" ""', r'"\000\255"', '"semi;colon"', r"a\;b"],
    "SPF": ['"v=spf1 -all"'],
    "HINFO": ['"RFC8482" ""'],
    "CAA": ['0 issue "ca.example; x=y"', "128 iodef mailto:a@example.org"],
    "HTTPS": [
        "0 a.example.net.",
        "1 .",
        "1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1,192.0.2.2 ech=AARhYmNk ipv6hint=2001:db8::1",
        "1 a.example.net. port=443 alpn=h2",
        "1 . mandatory=port port=443",
        "1 . alpn=h2 no-default-alpn",
    ],
    "SVCB": ['1 . key65300="abc"', "1 . key65300=abc", r'1 . key65300="a \000\"c"', "1 . key65300", '1 . alpn="h2,h3"'],
    "SSHFP": ["1 1 ABCDEF0123456789ABCDEF0123456789ABCDEF01"],
    "TLSA": ["3 1 1 " + "AB" * 32],
    "DS": ["1 8 2 " + "AB" * 32],
    "DNSKEY": ["257 3 8 AwEAAQ=="],
    "LOC": ["37 14 12.094 N 115 48 14.649 W 1381.00m"],
    "TYPE65300": [r"\# 2 ABCD", r"\# 3 AB CDEF", r"\# 0"],
}
CASES = [(rtype, text) for rtype, all_texts in DATA.items() for text in all_texts]


def wire_of(rtype: str, text: str) -> bytes:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rtype), text).to_wire()


@pytest.mark.parametrize(("rtype", "text"), CASES)
def test_line_means_what_dnspython_reads_in_it(rtype: str, text: str):
    (record,) = records_from_text(f"Example.org 60 IN {rtype} {text}")
    assert record == Record(b"\x07Example\x03org\0", dns.rdatatype.from_text(rtype), 1, 60, wire_of(rtype, text))


@pytest.mark.parametrize(("rtype", "text"), CASES)
def test_text_of_a_record_means_the_same_record(rtype: str, text: str):
    (record,) = records_from_text(f"example.org 60 {rtype} {text}")
    written = record_to_text(record)
    assert records_from_text(written) == (record,)
    owner, ttl, rclass, name, data = written.split(" ", 4)
    assert (owner, ttl, rclass) == ("example.org.", "60", "IN")
    assert wire_of(name, data) == record.rdata


def test_class_type_and_ttl_may_be_left_out_or_in_any_case():
    for line in ("example.org A 192.0.2.1", "example.org in a 192.0.2.1", "\texample.org.  300\ta 192.0.2.1 ; why"):
        assert record_to_text(*records_from_text(line)) == "example.org. 300 IN A 192.0.2.1"


@pytest.mark.parametrize("line", ["", "  ", "; all of it a comment"])
def test_lines_without_a_record_have_none(line: str):
    assert records_from_text(line) == ()


def test_international_and_wildcard_names_are_understood():
    (record,) = records_from_text("*.bücher.example CNAME bücher.example")
    assert record.owner == name_from_text("*.xn--bcher-kva.example")
    assert record.rdata == name_from_text("xn--bcher-kva.example")


def test_long_strings_are_cut_into_several():
    (record,) = records_from_text(f"example.org TXT {'x' * 300}")
    assert record.rdata == b"\xff" + b"x" * 255 + b"\x2d" + b"x" * 45


def test_other_letters_in_strings_are_utf8():
    (record,) = records_from_text('example.org TXT "grüß"')
    assert record.rdata == b"\x06gr\xc3\xbc\xc3\x9f"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("example.org", 12),
        ("example.org A", 14),
        ("example.org 60 IN A", 20),
        ("a..b A 192.0.2.1", 1),
        ("example.org 4294967296 A 192.0.2.1", 13),
        ("example.org 99999999999999 A 192.0.2.1", 13),
        ("example.org WHAT 192.0.2.1", 13),
        ("example.org A 192.0.2.256", 15),
        ("example.org A 2001:db8::1", 15),
        ("example.org A 192.0.2.1 192.0.2.2", 15),
        ("example.org AAAA 192.0.2.1", 18),
        ("example.org CNAME a b", 19),
        ("example.org CNAME a..b", 19),
        ("example.org MX mx.example.org", 16),
        ("example.org MX ten mx.example.org", 16),
        ("example.org MX 65536 mx.example.org", 16),
        ("example.org MX 100000 mx.example.org", 16),
        ('example.org TXT "open', 17),
        ("example.org TXT \\", 17),
        (r"example.org TXT \256", 17),
        ('example.org TXT a"b"c', 17),
        ("example.org CAA 0 issue", 17),
        ("example.org CAA 256 issue x", 17),
        ("example.org CAA 0 is-sue x", 17),
        ("example.org HTTPS 1 . what=1", 19),
        ("example.org HTTPS 1 . alpn=h2 alpn=h3", 19),
        ("example.org HTTPS 1 . ipv4hint=192.0.2", 19),
        ("example.org HTTPS 1 . port=70000", 19),
        ("example.org HTTPS 1", 19),
        ("example.org HTTPS x .", 19),
        ("example.org HTTPS 1 a..b", 19),
        ("example.org LOC here", 17),
        ("example.org TLSA 1", 18),
        ("example.org SOA a b 1 2 3 4 5", 17),
        (r"example.org A \# 3 ABCDEF", 15),
        (r"example.org CNAME \# 2 C00C", 19),
        (r"example.org TYPE1 \#", 19),
        (r"example.org SOA \# 35 0B" + "61" * 11 + "00C00C" + "00" * 20, 17),
        (r"example.org TYPE65300 \# 1 ABCD", 23),
        (r"example.org TYPE65300 \# 1 XY", 23),
        (r"example.org HTTPS \# 1 AB", 19),
        ("example.org TXT " + "x" * 16384, 16385),
    ],
)
def test_error_names_the_column(line: str, column: int):
    with pytest.raises(FormError, match=rf"^record: column {column}: "):
        records_from_text(line)


@pytest.mark.parametrize(
    ("rtype", "rdata"),
    [
        (QType.A, b"abc"),
        (QType.AAAA, b"abc"),
        (QType.CNAME, b"\xc0\x0c"),
        (QType.MX, b"\0"),
        (QType.SOA, b"\0\0"),
        (QType.TXT, b"\5ab"),
        (QType.TXT, b""),
        (QType.CNAME, b"\0\0"),
        (QType.CAA, b"\0\5issue\x0a\xff"),
        (QType.CAA, b"\0\5issue\x0a"),
        (QType.RRSIG, b"abc"),
        (QType.HTTPS, b"\0\1\0\0\2\0\1x"),
        (QType.LOC, b"\0\xff" + bytes(14)),
        (QType.KEY, b"abc"),
    ],
)
def test_data_without_another_form_are_generic(rtype: int, rdata: bytes):
    r"""R-W08, R-W12: what cannot be shown, or would bring a line break into a log, becomes `\# LENGTH HEX`."""
    written = record_to_text(Record(OWNER, rtype, 1, 60, rdata))
    assert written.split(" ", 4)[4] == rf"\# {len(rdata)} {rdata.hex().upper()}".rstrip()


def test_soa_and_signatures_are_shown():
    text = "a.example.org. b.example.org. 1 2 3 4 5"
    assert record_to_text(Record(OWNER, QType.SOA, 1, 60, wire_of("SOA", text))).endswith(f" SOA {text}")
    text = "A 8 2 60 20300101000000 20200101000000 1 example.org. AAAA"
    assert record_to_text(Record(OWNER, QType.RRSIG, 1, 60, wire_of("RRSIG", text))).endswith(f" RRSIG {text}")


def test_classes_are_named():
    assert record_to_text(Record(b"\0", QType.TXT, 3, 0, b"\1x")) == '. 0 CH TXT "x"'
    assert record_to_text(Record(b"\0", QType.TXT, 300, 0, b"\1x")) == '. 0 CLASS300 TXT "x"'


@given(
    st.sampled_from([1, 2, 5, 6, 15, 16, 28, 29, 33, 35, 43, 44, 46, 47, 48, 52, 64, 65, 257, 65300]),
    st.binary(max_size=50),
)
def test_any_record_is_one_printable_line(rtype: int, rdata: bytes):
    """R-W08: whatever an upstream sends."""
    text = record_to_text(Record(OWNER, rtype, 1, 60, rdata))
    assert text.isascii()
    assert text.isprintable()


@given(st.sampled_from(list(DATA)), st.text(max_size=40))
def test_any_line_is_a_record_or_refused(rtype: str, data: str):
    try:
        records = records_from_text(f"example.org {rtype} {data}")
    except FormError:
        return
    for record in records:
        check_rdata(record.rtype, record.rdata)
        record_to_text(record)
