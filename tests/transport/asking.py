"""What clients say: queries, raw octets, streams."""

import asyncio
import socket
import struct
from typing import Any, Self

import dns.edns
import dns.message

LONG = 5.0
"""Seconds after which a test fails rather than waits."""


class RawClient:
    """A connected UDP socket: octets out, octets in."""

    def __init__(self, source: str, server: tuple[str, int]) -> None:
        self._sock = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._sock.bind((source, 0))
        self._sock.connect(server)

    def send(self, wire: bytes) -> None:
        """Send octets."""
        self._sock.send(wire)

    def has_got_something(self) -> bool:
        """Return whether octets are waiting."""
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    async def receive(self) -> bytes:
        """Wait for octets."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._sock, 65535), LONG)

    async def exchange(self, wire: bytes) -> bytes:
        """Send octets and wait for others."""
        self.send(wire)
        return await self.receive()

    async def drain(self, wire: bytes) -> list[bytes]:
        """Send a last query and return all that comes up to its reply, the reply last."""
        self.send(wire)
        got = [await self.receive()]
        while got[-1][:2] != wire[:2]:
            got.append(await self.receive())
        return got

    def close(self) -> None:
        """Close."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def framed(*wires: bytes) -> bytes:
    """Put lengths before messages."""
    return b"".join(struct.pack("!H", len(wire)) + wire for wire in wires)


async def read_framed(reader: asyncio.StreamReader) -> bytes:
    """Read one message of a stream."""
    (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), LONG))
    return await asyncio.wait_for(reader.readexactly(length), LONG)


async def read_end(reader: asyncio.StreamReader) -> bytes:
    """Read until the server closes; a reset is an end too."""
    try:
        return await asyncio.wait_for(reader.read(), LONG)
    except ConnectionError:
        return b""


def question(name: str = "example.org", qtype: str = "A", **options: Any) -> dns.message.Message:
    """Make a query as a stub does; without EDNS unless asked."""
    options.setdefault("use_edns", -1)
    return dns.message.make_query(name, qtype, **options)


def named(number: int) -> bytes:
    """A query with its number as id and first label."""
    query = question(f"n{number}.example.org")
    query.id = number
    return query.to_wire()


def padded(size: int) -> bytes:
    """A query that is long because of its padding (RFC 7830)."""
    return question(use_edns=0, options=[dns.edns.GenericOption(12, bytes(size))]).to_wire(max_size=65535)
