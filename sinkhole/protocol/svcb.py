"""SVCB and HTTPS records as far as they lead a client somewhere, and what may be taken out of them (RFC 9460)."""

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import read_name
from sinkhole.protocol.types import QType, qtype_to_text

SVCB_TYPES: Final = frozenset((QType.SVCB, QType.HTTPS))
ECH: Final = 5
"""Encrypted Client Hello (RFC 9848)."""
_MANDATORY: Final = 0
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
    target, at = _target(record)
    hints: dict[int, tuple[str, ...]] = {}
    for key, value in _parameters(record.rdata, at):
        if key in (_IPV4HINT, _IPV6HINT):
            hints[key] = _addresses(value, 4 if key == _IPV4HINT else 16)
    priority = int.from_bytes(record.rdata[:2], "big")
    return SvcbParts(priority, target, hints.get(_IPV4HINT, ()), hints.get(_IPV6HINT, ()))


def without_parameter(record: Record, unwanted: int) -> Record:
    """Return a SVCB or HTTPS record without a parameter, which is then not mandatory either; the same if it has none.

    Raises:
        FormError: as `svcb_parts`.
    """
    _, at = _target(record)
    parameters = dict(_parameters(record.rdata, at))
    if unwanted not in parameters:
        return record
    del parameters[unwanted]
    if _MANDATORY in parameters:
        keys = parameters.pop(_MANDATORY)
        pairs = [keys[place : place + 2] for place in range(0, len(keys), 2)]
        kept = b"".join(pair for pair in pairs if pair != unwanted.to_bytes(2, "big"))
        if kept:  # an empty list would be malformed (RFC 9460, section 8)
            parameters = {_MANDATORY: kept, **parameters}
    written = b"".join(_PAIR.pack(key, len(value)) + value for key, value in parameters.items())
    return replace(record, rdata=record.rdata[:at] + written)


def _target(record: Record) -> tuple[bytes, int]:
    rdata = record.rdata
    if record.rtype not in SVCB_TYPES or len(rdata) < 3:
        raise FormError(f"SVCB or HTTPS is wanted; found {qtype_to_text(record.rtype)} with {len(rdata)} octets")
    return read_name(rdata, 2)


def _parameters(rdata: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield keys and values, which stand in the order of the keys."""
    last = -1
    while at < len(rdata):
        if at + 4 > len(rdata):
            raise FormError("SVCB: a parameter is cut off")
        key, length = _PAIR.unpack_from(rdata, at)
        at += 4 + length
        if at > len(rdata) or key <= last:
            raise FormError(f"SVCB: key{key} is cut off or out of order")
        last = key
        yield key, rdata[at - length : at]


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
