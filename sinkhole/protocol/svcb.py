"""SVCB and HTTPS records as far as they lead a client somewhere (RFC 9460)."""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import read_name
from sinkhole.protocol.types import QType, qtype_to_text

SVCB_TYPES: Final = frozenset((QType.SVCB, QType.HTTPS))
_IPV4HINT: Final = 4
_IPV6HINT: Final = 6
_PAIR: Final = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class SvcbParts:
    """The parts of a SVCB or HTTPS record that lead a client somewhere (RFC 9460).

    Args:
        priority: 0 is an alias to the target.
        target: as written; the root means the owner itself, or in an alias that there is no such service.
        ipv4hint, ipv6hint: addresses in their usual text form.
    """

    priority: int
    target: bytes
    ipv4hint: tuple[str, ...] = ()
    ipv6hint: tuple[str, ...] = ()


def svcb_parts(record: Record) -> SvcbParts:
    """Read a SVCB or HTTPS record as far as it leads somewhere.

    Raises:
        FormError: it is of another type, or malformed as RFC 9460, section 2.2 defines that.
    """
    rdata = record.rdata
    if record.rtype not in SVCB_TYPES or len(rdata) < 3:
        raise FormError(f"SVCB or HTTPS is wanted; found {qtype_to_text(record.rtype)} with {len(rdata)} octets")
    target, at = read_name(rdata, 2)
    hints: dict[int, tuple[str, ...]] = {}
    last = -1
    while at < len(rdata):
        if at + 4 > len(rdata):
            raise FormError("SVCB: a parameter is cut off")
        key, length = _PAIR.unpack_from(rdata, at)
        at += 4 + length
        if at > len(rdata) or key <= last:
            raise FormError(f"SVCB: key{key} is cut off or out of order")
        last = key
        if key in (_IPV4HINT, _IPV6HINT):
            hints[key] = _addresses(rdata[at - length : at], 4 if key == _IPV4HINT else 16)
    priority = int.from_bytes(rdata[:2], "big")
    return SvcbParts(priority, target, hints.get(_IPV4HINT, ()), hints.get(_IPV6HINT, ()))


def _addresses(data: bytes, octets: int) -> tuple[str, ...]:
    if not data or len(data) % octets:
        raise FormError(f"SVCB: a hint is made of addresses of {octets} octets; found {len(data)}")
    return tuple(address_to_text(data[at : at + octets]) for at in range(0, len(data), octets))


def address_to_text(rdata: bytes) -> str:
    """Write the data of an A or AAAA record.

    Raises:
        FormError: they are neither 4 nor 16 octets.
    """
    if len(rdata) == 4:
        return ".".join(map(str, rdata))
    if len(rdata) == 16:
        return str(ipaddress.IPv6Address(rdata))
    raise FormError(f"address: 4 or 16 octets are wanted; found {len(rdata)}")
