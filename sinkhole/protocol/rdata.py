"""What the data of a record say, and the records that we make ourselves."""

import ipaddress
import struct
from collections.abc import Iterable
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text, read_name
from sinkhole.protocol.presentation import record_to_text, records_from_text
from sinkhole.protocol.svcb import SvcbParts, address_to_text, svcb_parts
from sinkhole.protocol.types import QClass, QType, qtype_to_text

__all__ = [
    "SvcbParts",
    "address_record",
    "address_to_text",
    "cname_target",
    "record_to_text",
    "records_from_text",
    "soa_minimum",
    "soa_record",
    "svcb_parts",
    "txt_record",
    "txt_strings",
]

_ALIASES: Final = frozenset((QType.CNAME, QType.DNAME))
_MAX_STRING: Final = 255
_NOBODY: Final = name_from_text("nobody.invalid")
# serial, refresh, retry and expire of the empty zones of RFC 6303, section 3
_SOA_TIMES: Final = (1, 3600, 1200, 604800)


def cname_target(record: Record) -> bytes:
    """Return the name that a CNAME or DNAME record leads to.

    Raises:
        FormError: the record is of another type or its data are no name.
    """
    if record.rtype not in _ALIASES:
        raise FormError(f"CNAME or DNAME is wanted; found {qtype_to_text(record.rtype)}")
    target, end = read_name(record.rdata, 0)
    if end != len(record.rdata):
        raise FormError("CNAME: octets after the name")
    return target


def soa_minimum(record: Record) -> int:
    """Return the MINIMUM field of a SOA record: how long "no" may be remembered (RFC 2308, section 5).

    Raises:
        FormError: the record is of another type or too short.
    """
    if record.rtype != QType.SOA or len(record.rdata) < 22:
        raise FormError(f"SOA is wanted; found {qtype_to_text(record.rtype)} with {len(record.rdata)} octets")
    return int.from_bytes(record.rdata[-4:], "big")


def address_record(owner: bytes, address: str, ttl: int) -> Record:
    """Make an A or AAAA record.

    Raises:
        FormError: this is no IP address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise FormError(f"address: {error}") from None
    return Record(owner, QType.A if parsed.version == 4 else QType.AAAA, QClass.IN, ttl, parsed.packed)


def soa_record(owner: bytes, minimum: int, ttl: int) -> Record:
    """Make the SOA record of a zone that exists only here, named as those of RFC 6303 are.

    Args:
        owner: the zone.
        minimum: seconds that a negative answer may be kept.
        ttl: of the record itself; the lesser of both counts (RFC 2308, section 5).
    """
    return Record(owner, QType.SOA, QClass.IN, ttl, owner + _NOBODY + struct.pack("!5I", *_SOA_TIMES, minimum))


def txt_record(owner: bytes, text: str, ttl: int, rclass: int = QClass.IN) -> Record:
    """Make a TXT record; a long text becomes several strings of 255 octets."""
    data = text.encode(errors="replace")
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)] or [b""]
    return Record(owner, QType.TXT, rclass, ttl, b"".join([bytes((len(piece),)) + piece for piece in pieces]))


def txt_strings(owner: bytes, texts: Iterable[str], ttl: int) -> Record:
    """Make a TXT record of one string a text; a text over 255 octets is cut, at the border of a character."""
    pieces = [text.encode(errors="replace")[:_MAX_STRING].decode(errors="ignore").encode() for text in texts]
    return Record(owner, QType.TXT, QClass.IN, ttl, b"".join([bytes((len(piece),)) + piece for piece in pieces]))
