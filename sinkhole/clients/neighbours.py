"""The neighbour table of Linux (ARP and NDP), read over netlink: `/proc/net/arp` knows IPv4 alone (rtnetlink(7))."""

import ipaddress
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from sinkhole.errors import SinkholeError
from sinkhole.policy.member import mac_from_octets

TIMEOUT = 1.0
_RTM_NEWNEIGH, _RTM_GETNEIGH = 28, 30
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_REQUEST_DUMP = 0x1 | 0x300
_INTERRUPTED = 0x10
_NDA_DST, _NDA_LLADDR = 1, 2
_KNOWN = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""REACHABLE, STALE, DELAY, PROBE, PERMANENT: states in which the kernel has an address to send to."""
_ALIVE = 0x02 | 0x08 | 0x10
"""REACHABLE, DELAY, PROBE: it answered or is being talked to; STALE may be hours old (include/net/neighbour.h)."""
_HEADER = struct.Struct("=IHHII")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_DATAGRAM = 256 * 1024
_TRIES = 3


class NeighbourError(SinkholeError):
    """The table cannot be read."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who has an address on a link: MAC address, and whether it was heard of in the last minute or so."""

    address: str
    mac: str
    is_alive: bool


def read_neighbours() -> list[Neighbour]:
    """Read the table of all interfaces, IPv4 and IPv6.

    Raises:
        NeighbourError: there is no netlink here, or it refuses.
    """
    try:
        for _ in range(_TRIES):
            octets = _dump()
            if octets is not None:
                return unambiguous(parse_neighbours(octets))
    except (OSError, AttributeError) as error:
        raise NeighbourError(f"the neighbour table cannot be read: {error}") from error
    raise NeighbourError("the neighbour table changes faster than it can be read")


def _dump() -> bytes | None:
    """Return the messages of a dump; None where the table changed meanwhile (NLM_F_DUMP_INTR)."""
    body = _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    request = _HEADER.pack(_HEADER.size + len(body), _RTM_GETNEIGH, _REQUEST_DUMP, 1, 0) + body
    parts = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.settimeout(TIMEOUT)
        sock.bind((0, 0))
        sock.send(request)
        while True:
            part = sock.recv(_DATAGRAM)
            parts.append(part)
            kinds = [(kind, flags) for kind, flags, _ in _messages(part)]
            if any(flags & _INTERRUPTED for _, flags in kinds):
                return None
            if any(kind in (_NLMSG_DONE, _NLMSG_ERROR) for kind, _ in kinds) or not kinds:
                return b"".join(parts)


def parse_neighbours(octets: bytes) -> Iterator[Neighbour]:
    """Yield the neighbours of a dump that have a MAC address.

    Raises:
        NeighbourError: the dump is an error, or is cut off.
    """
    for kind, _, body in _messages(octets):
        if kind == _NLMSG_ERROR:
            code = int.from_bytes(body[:4], sys.byteorder, signed=True)
            raise NeighbourError(f"the neighbour table cannot be read: netlink error {-code}")
        if kind == _RTM_NEWNEIGH and (found := _neighbour(body)) is not None:
            yield found


def unambiguous(neighbours: Iterator[Neighbour]) -> list[Neighbour]:
    """Return the neighbours without addresses that several have, such as one link-local address on two links."""
    found: dict[str, Neighbour | None] = {}
    for one in neighbours:
        known = found.get(one.address, one)
        found[one.address] = one if known is not None and known.mac == one.mac else None
    return [one for one in found.values() if one is not None]


def _messages(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, flags and body of each message (RFC 3549, section 2.3.2; parts are aligned to 4 octets)."""
    offset = 0
    while offset + _HEADER.size <= len(octets):
        length, kind, flags, _, _ = _HEADER.unpack_from(octets, offset)
        if length < _HEADER.size or offset + length > len(octets):
            raise NeighbourError("the neighbour table is cut off")
        yield kind, flags, octets[offset + _HEADER.size : offset + length]
        offset += _aligned(length)


def _neighbour(body: bytes) -> Neighbour | None:
    if len(body) < _NEIGHBOUR.size:
        raise NeighbourError("the neighbour table has an entry that is cut off")
    family, _, state, _, _ = _NEIGHBOUR.unpack_from(body)
    if family not in (socket.AF_INET, socket.AF_INET6) or not state & _KNOWN:
        return None
    attributes = dict(_attributes(body[_NEIGHBOUR.size :]))
    destination, mac = attributes.get(_NDA_DST, b""), mac_from_octets(attributes.get(_NDA_LLADDR, b""))
    if mac is None or len(destination) not in (4, 16):
        return None
    return Neighbour(str(ipaddress.ip_address(destination)), mac, bool(state & _ALIVE))


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind, octets[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def _aligned(length: int) -> int:
    return length + 3 & ~3
