"""Answers that are nothing but a set of addresses, as most are: read from their octets, without making records of them.

Every octet is looked at, so whatever is accepted reads the same the long way (`read_message`).
"""

from typing import Final

from mypy_extensions import mypyc_attr

from sinkhole.protocol.message import Record
from sinkhole.protocol.types import QClass, QType

__all__ = ["ADDRESS_TYPES", "MOST_ADDRESSES", "AddressSet", "read_addresses", "read_records"]

_OF_A: Final = 4
_OF_AAAA: Final = 16
ADDRESS_TYPES: Final = {QType.A: _OF_A, QType.AAAA: _OF_AAAA}
"""Octets of an address by type."""

_HEADER_SIZE: Final = 12
_POINTER: Final = 0xC0
_TO_QUESTION: Final = 0x0C
"""The owner of each record (RFC 1035 section 4.1.4)."""
_A: Final = int(QType.A)
_AAAA: Final = int(QType.AAAA)
_IN: Final = int(QClass.IN)
_TTL: Final = 6
_LENGTH: Final = 10
_DATA: Final = 12
"""Where the parts of a record begin whose owner is a pointer to the question."""
MOST_ADDRESSES: Final = 32
"""Addresses of a set; what has more is read the long way."""
_MAX_TTL: Final = 0x7FFFFFFF
_OPT: Final = b"\0\0\x29"
_OPT_SIZE: Final = 11
_OPTION_HEADER: Final = 4
_PADDING: Final = b"\0\x0c"
_RESPONSE: Final = 0x80
_DECIDING_FIRST: Final = 0xFA
"""QR, opcode and TC; of these only QR may be set."""
_RCODE: Final = 0x0F


@mypyc_attr(acyclic=True)
class AddressSet:
    """A set of addresses as it stands in a message.

    Attributes:
        wire: the message.
        octets: the answer section; owners are pointers to the question.
        count: records in it.
        size: octets of each.
        ttl, most_ttl: the least and the greatest TTL.
    """

    __slots__ = ("count", "most_ttl", "octets", "size", "ttl", "wire")

    def __init__(self, wire: bytes, start: int, count: int, size: int, ttl: int, most_ttl: int) -> None:
        self.wire = wire
        self.octets = wire[start : start + count * size]
        self.count = count
        self.size = size
        self.ttl = ttl
        self.most_ttl = most_ttl

    def addresses(self) -> list[bytes]:
        """Return the addresses, in network order."""
        return [self.octets[at + _DATA : at + self.size] for at in range(0, len(self.octets), self.size)]

    def records(self, owner: bytes, qtype: int) -> tuple[Record, ...]:
        """Return the records, with the owner in the letter case that is wanted."""
        return read_records(self.octets, self.size, owner, qtype)


def read_records(octets: bytes, size: int, owner: bytes, qtype: int) -> tuple[Record, ...]:
    """Return the records of a set of addresses, with the owner in the letter case that is wanted.

    Args:
        octets: the answer section of `AddressSet`.
        size: octets of a record.
    """
    return tuple(
        Record(
            owner, qtype, QClass.IN, int.from_bytes(octets[at + _TTL : at + _LENGTH]), octets[at + _DATA : at + size]
        )
        for at in range(0, len(octets), size)
    )  # fmt: skip


def read_addresses(sent: bytes, end: int, got: bytes) -> AddressSet | None:
    """Return the set of addresses that answers a query; None where a message is anything else or anything more.

    It repeats the question letter by letter, its code is NOERROR, and there is nothing in it but records of the type
    asked, each owned by a pointer to the question, and at most an OPT record that says nothing. A pointer to the root
    is none that we would write.

    Args:
        sent: the query; one for no addresses in class IN gives None.
        end: offset after its question.
        got: what arrived, its id compared already.
    """
    if len(got) < end or not _is_plain(got):
        return None
    count = got[6] << 8 | got[7]
    if not 0 < count <= MOST_ADDRESSES or got[_HEADER_SIZE:end] != sent[_HEADER_SIZE:end] or not sent[_HEADER_SIZE]:
        return None
    qtype = sent[end - 3]
    octets = _OF_A if qtype == _A else _OF_AAAA if qtype == _AAAA else 0
    if not octets or sent[end - 4] or sent[end - 2] or sent[end - 1] != _IN:
        return None
    size = _DATA + octets
    stop = end + count * size
    if len(got) < stop or not _is_silent(got[stop:], got[11]):
        return None
    ttl, most_ttl = _MAX_TTL, 0
    at = end
    while at < stop:  # not `range`, which compiled is an object where the step is no constant
        if got[at] != _POINTER or got[at + 1] != _TO_QUESTION or got[at + 2] or got[at + 3] != qtype:
            return None
        if got[at + 4] or got[at + 5] != _IN or got[at + _LENGTH] or got[at + _LENGTH + 1] != octets:
            return None
        here = got[at + 6] << 24 | got[at + 7] << 16 | got[at + 8] << 8 | got[at + 9]
        if here < ttl:
            ttl = here
        if here > most_ttl:
            most_ttl = here
        at += size
    if most_ttl > _MAX_TTL:
        return None
    found = AddressSet(got, end, count, size, ttl, most_ttl)
    return None if count > 1 and len(set(found.addresses())) < count else found


def _is_plain(got: bytes) -> bool:
    """Return whether a header tells of a response without error to one question, and of no more than one other record.

    Compiled, to look at an octet is nothing, and to take a header apart costs more than all the rest.
    """
    flags, more = got[2] & _DECIDING_FIRST, got[3] & _RCODE
    if flags != _RESPONSE or more or got[4] or got[5] != 1:
        return False
    return not (got[8] or got[9] or got[10]) and got[11] <= 1


def _is_silent(rest: bytes, additional: int) -> bool:
    """Return whether nothing follows the answers, or an OPT record without a version, upper rcode bits and options.

    The one option that says nothing is padding (RFC 7830), with which upstreams fill what they encrypt.
    """
    if not additional:
        return not rest
    options = len(rest) - _OPT_SIZE
    if options < 0 or rest[:3] != _OPT or rest[5:7] != b"\0\0" or rest[9:11] != options.to_bytes(2):
        return False
    padding = options - _OPTION_HEADER
    return not options or (padding >= 0 and rest[11:13] == _PADDING and rest[13:15] == padding.to_bytes(2))
