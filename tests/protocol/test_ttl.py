"""TTLs of kept replies."""

import dns.message
import pytest

from sinkhole.errors import FormError
from sinkhole.protocol.edns import Edns
from sinkhole.protocol.message import read_message
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import QueryMessage, Question
from sinkhole.protocol.rdata import address_record, records_from_text, soa_record
from sinkhole.protocol.reply import Ede, ReplyBody, write_reply
from sinkhole.protocol.ttl import aged, ttl_offsets

QNAME = name_from_text("www.example.org")
QUERY = QueryMessage(1, 0, True, False, False, Question(QNAME, 1), Edns(1232, do=True))
BODY = ReplyBody(
    0,
    (*records_from_text("www.example.org 300 CNAME a.example.net"), address_record(b"\1a\0", "192.0.2.1", 60)),
    (soa_record(name_from_text("example.org"), 10, 30),),
    (address_record(b"\1b\0", "2001:db8::1", 5),),
    ede=(Ede(15, "why"),),
)


def ttls(wire: bytes) -> list[int]:
    message = dns.message.from_wire(wire)
    return [rrset.ttl for section in (message.answer, message.authority, message.additional) for rrset in section]


@pytest.mark.parametrize(("seconds", "left"), [(0, [300, 60, 30, 5]), (7, [293, 53, 23, 0]), (10**6, [0, 0, 0, 0])])
def test_ttls_count_down_to_zero(seconds: int, left: list[int]):
    wire = write_reply(QUERY, BODY, max_size=1232)
    assert ttls(aged(wire, ttl_offsets(wire), seconds)) == left
    assert wire[:2] + aged(wire, ttl_offsets(wire), seconds, 2) == aged(wire, ttl_offsets(wire), seconds)


def test_nothing_but_ttls_changes():
    """R-W20: OPT has DO where a TTL would be; it stays."""
    before = write_reply(QUERY, BODY, max_size=1232)
    wire = aged(before, ttl_offsets(before), 1)
    assert read_message(wire).edns == read_message(before).edns
    assert sum(a != b for a, b in zip(before, wire, strict=True)) == len(ttl_offsets(before)) == 4


def test_reply_without_records_has_no_ttl():
    assert ttl_offsets(write_reply(QUERY, ReplyBody(3), max_size=512)) == []


@pytest.mark.parametrize("cut", range(1, 150, 3))
def test_reply_cut_off_is_refused(cut: int):
    wire = write_reply(QUERY, BODY, max_size=1232)
    with pytest.raises(FormError):
        ttl_offsets(wire[:-cut])


def test_reply_with_more_than_its_counts_say_is_refused():
    with pytest.raises(FormError):
        ttl_offsets(write_reply(QUERY, BODY, max_size=1232) + b"\0")
