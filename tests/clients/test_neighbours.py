"""The neighbour table as the kernel sends it (rtnetlink(7), struct ndmsg)."""

import contextlib
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.clients.neighbours import Neighbour, NeighbourError, parse_neighbours, read_neighbours, unambiguous

MAC = bytes.fromhex("aabbccddeeff")
REACHABLE, STALE, FAILED, NOARP, PERMANENT = 0x02, 0x04, 0x20, 0x40, 0x80


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body + bytes(-len(body) % 4)


def entry(address: str, mac: bytes | None, state: int, family: int | None = None) -> bytes:
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    body = struct.pack("=BxxxiHBB", kind if family is None else family, 2, state, 0, 1)
    body += attribute(1, socket.inet_pton(kind, address))
    body += attribute(2, mac) if mac is not None else b""
    return message(28, body + attribute(3, bytes(16)))


DONE = message(3, bytes(4))


def test_both_families_and_states():
    dump = (
        entry("192.0.2.7", MAC, REACHABLE)
        + entry("2001:db8::7", MAC, STALE)
        + entry("192.0.2.8", MAC, PERMANENT)
        + entry("192.0.2.9", MAC, FAILED)
        + entry("127.0.0.1", bytes(6), NOARP)
        + entry("192.0.2.10", bytes(6), REACHABLE)
        + entry("192.0.2.11", bytes(range(20)), REACHABLE)
        + entry("192.0.2.12", None, REACHABLE)
        + entry("192.0.2.13", MAC, REACHABLE, family=7)
        + DONE
    )
    assert list(parse_neighbours(dump)) == [
        Neighbour("192.0.2.7", "aa:bb:cc:dd:ee:ff", is_alive=True),
        Neighbour("2001:db8::7", "aa:bb:cc:dd:ee:ff", is_alive=False),
        Neighbour("192.0.2.8", "aa:bb:cc:dd:ee:ff", is_alive=False),
    ]


def test_address_of_several_is_of_nobody():
    """Nothing is guessed: fe80::1 may be on two links."""
    one, other = (Neighbour("fe80::1", mac, is_alive=True) for mac in ("aa:bb:cc:dd:ee:ff", "aa:bb:cc:dd:ee:00"))
    third = Neighbour("fe80::2", "aa:bb:cc:dd:ee:ff", is_alive=True)
    assert unambiguous(iter([one, third, third, other, one])) == [third]


def test_refusal_is_an_error():
    with pytest.raises(NeighbourError, match="netlink error 1"):
        list(parse_neighbours(message(2, struct.pack("=i", -1) + bytes(16))))


@given(st.binary(max_size=80) | st.integers(0, 60).map(lambda n: entry("192.0.2.7", MAC, REACHABLE)[:n]))
def test_damaged_dump_is_a_documented_error(octets):
    with contextlib.suppress(NeighbourError):
        list(parse_neighbours(octets))


def test_table_of_this_machine_can_be_read():
    assert all(one.mac.count(":") == 5 for one in read_neighbours())
