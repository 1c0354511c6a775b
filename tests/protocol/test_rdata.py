"""What records say, and records made here."""

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.rdata import (
    SvcbParts,
    address_record,
    address_to_text,
    cname_target,
    soa_minimum,
    soa_record,
    svcb_parts,
    txt_record,
    txt_strings,
)
from sinkhole.protocol.svcb import ECH, without_parameter
from sinkhole.protocol.types import QType

OWNER = name_from_text("example.org")


def stranger(record: Record) -> dns.rdata.Rdata:
    """Let dnspython read the data."""
    return dns.rdata.from_wire(record.rclass, record.rtype, record.rdata, 0, len(record.rdata))


def of_text(rtype: str, text: str) -> Record:
    number = dns.rdatatype.from_text(rtype)
    return Record(OWNER, number, 1, 60, dns.rdata.from_text(dns.rdataclass.IN, number, text).to_wire())


@pytest.mark.parametrize("rtype", ["CNAME", "DNAME"])
def test_alias_leads_to_its_target(rtype: str):
    assert cname_target(of_text(rtype, "a.Example.net.")) == name_from_text("a.Example.net")


@pytest.mark.parametrize(
    "record",
    [
        Record(OWNER, QType.NS, 1, 60, OWNER),
        Record(OWNER, QType.CNAME, 1, 60, OWNER + b"\0"),
        Record(OWNER, QType.CNAME, 1, 60, b"\3ab"),
    ],
)
def test_what_is_no_alias_is_refused(record: Record):
    with pytest.raises(FormError):
        cname_target(record)


def test_minimum_of_a_soa_is_its_last_field():
    """RFC 2308, section 5."""
    assert soa_minimum(of_text("SOA", "a. b. 1 2 3 4 86400")) == 86400
    for record in (Record(OWNER, QType.SOA, 1, 60, bytes(21)), Record(OWNER, QType.A, 1, 60, bytes(22))):
        with pytest.raises(FormError):
            soa_minimum(record)


def test_soa_of_our_own_reads_well():
    """RFC 6303, section 3: its primary is the zone itself, its mailbox is nobody's."""
    record = soa_record(OWNER, 10, 30)
    assert stranger(record).to_text() == "example.org. nobody.invalid. 1 3600 1200 604800 10"
    assert (record.owner, record.ttl, soa_minimum(record)) == (OWNER, 30, 10)


@pytest.mark.parametrize(
    ("address", "rtype"), [("192.0.2.1", QType.A), ("2001:db8::1", QType.AAAA), ("::", QType.AAAA)]
)
def test_address_record_is_of_its_family(address: str, rtype: int):
    record = address_record(OWNER, address, 5)
    assert (record.rtype, record.ttl, stranger(record).to_text()) == (rtype, 5, address)
    assert address_to_text(record.rdata) == address


@pytest.mark.parametrize("address", ["", "192.0.2", "192.0.2.1/32", "example.org"])
def test_what_is_no_address_is_refused(address: str):
    with pytest.raises(FormError):
        address_record(OWNER, address, 5)


def test_addresses_have_4_or_16_octets():
    with pytest.raises(FormError):
        address_to_text(bytes(5))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 700])
def test_long_text_becomes_several_strings(size: int):
    record = txt_record(OWNER, "x" * size, 5, rclass=3)
    assert b"".join(stranger(record).strings) == b"x" * size
    assert record.rclass == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1 .", SvcbParts(1, b"\0")),
        ("0 a.example.net.", SvcbParts(0, name_from_text("a.example.net"))),
        (
            '16 a. alpn="h2,h3" port=443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1,:: key65300="x"',
            SvcbParts(16, b"\1a\0", ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "::")),
        ),
    ],
)
@pytest.mark.parametrize("rtype", ["SVCB", "HTTPS"])
def test_svcb_parts_are_found(rtype: str, text: str, parts: SvcbParts):
    """RFC 9460: target and hints, which a filter must see; unknown keys are skipped."""
    assert svcb_parts(of_text(rtype, text)) == parts


@pytest.mark.parametrize(
    "rdata",
    [
        b"",
        b"\0\1",
        b"\0\1\1a",
        b"\0\1\xc0\x0c",
        b"\0\1\0\0",
        b"\0\1\0\0\4\0\5abcd",
        b"\0\1\0\0\4\0\0",
        b"\0\1\0\0\4\0\5abcde",
        b"\0\1\0\0\6\0\4abcd",
        b"\0\1\0\0\4\0\4abcd\0\4\0\4abcd",
        b"\0\1\0\0\6\0\0\0\3\0\2ab",
    ],
)
def test_malformed_svcb_is_refused(rdata: bytes):
    """RFC 9460, section 2.2: cut off, out of order, twice, or wrong hints."""
    with pytest.raises(FormError):
        svcb_parts(Record(OWNER, QType.HTTPS, 1, 60, rdata))


def test_svcb_parts_are_those_of_svcb_only():
    with pytest.raises(FormError):
        svcb_parts(address_record(OWNER, "192.0.2.1", 1))


@given(st.binary(max_size=60), st.sampled_from([QType.HTTPS, QType.CNAME, QType.SOA]))
def test_any_data_are_understood_or_refused(rdata: bytes, rtype: int):
    record = Record(OWNER, rtype, 1, 60, rdata)
    for read in (svcb_parts, cname_target, soa_minimum):
        try:
            read(record)
        except FormError:
            continue


@pytest.mark.parametrize(
    ("texts", "strings"),
    [([], ()), (["a=1", ""], (b"a=1", b"")), (["x" * 300], (b"x" * 255,)), (["é" * 200], ("é" * 127 + "",))],
)
def test_texts_become_one_string_each(texts: list[str], strings: tuple[bytes | str, ...]):
    """RFC 1035, section 3.3.14: at most 255 octets, here cut at the border of a character."""
    record = txt_strings(OWNER, texts, 5)
    wanted = b"".join(bytes((len(s),)) + s for s in (s.encode() if isinstance(s, str) else s for s in strings))
    assert (record.rtype, record.rdata) == (QType.TXT, wanted)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("1 . alpn=h2 ech=AAj+DQAEAQIDBA== port=443", '1 . alpn="h2" port="443"'),
        ("1 . mandatory=alpn,ech alpn=h2 ech=AAj+DQAEAQIDBA==", '1 . mandatory="alpn" alpn="h2"'),
        ("1 a.example. mandatory=ech ech=AAj+DQAEAQIDBA== key65300=x", '1 a.example. key65300="x"'),
        ("1 . mandatory=alpn alpn=h2", '1 . mandatory="alpn" alpn="h2"'),
        ("0 a.example.", "0 a.example."),
    ],
)
def test_parameter_is_taken_out(text: str, left: str):
    """RFC 9460, section 8: what is gone is not mandatory, and no list of mandatory keys is empty."""
    record = of_text("HTTPS", text)
    changed = without_parameter(record, ECH)
    assert stranger(changed).to_text() == left
    assert (changed is record) is ("ech" not in text)


@given(st.binary(max_size=60))
def test_any_data_lose_a_parameter_or_are_refused(rdata: bytes):
    record = Record(OWNER, QType.HTTPS, 1, 60, rdata)
    try:
        changed = without_parameter(record, ECH)
    except FormError:
        return
    assert without_parameter(changed, ECH) is changed
