"""Packets as any stranger could send them, octet by octet, and what comes back."""

import socket
import struct
import time
from pathlib import Path
from typing import Self

import dns.message

from tests.e2e.running import HOST, Server

LONG = 5.0
"""Seconds after which something counts as silent."""


class Datagrams:
    """A UDP socket connected to a server."""

    def __init__(self, port: int, *, host: str = HOST, source: str = "") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        if source:
            self._sock.bind((source, 0))
        self._sock.connect((host, port))

    def send(self, wire: bytes) -> None:
        """Send one datagram."""
        self._sock.send(wire)

    def receive(self, timeout: float = LONG) -> bytes | None:
        """Return the next datagram, or None after `timeout` seconds."""
        self._sock.settimeout(timeout)
        try:
            return self._sock.recv(65535)
        except TimeoutError:
            return None

    def ask(self, wire: bytes, timeout: float = LONG) -> bytes | None:
        """Send one datagram and return what comes back."""
        self.send(wire)
        return self.receive(timeout)

    def until_good(self, number: int = 0xFEED) -> list[bytes]:
        """Ask a good question and return what came before its answer; fail if the server does not live."""
        self.send(query("alive.example", number=number))
        replies = []
        while True:
            found = self.receive()
            assert found is not None, "the server does not answer any more"
            if found[:2] == struct.pack("!H", number):
                return replies
            replies.append(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()


class Stream:
    """A TCP connection to a server."""

    def __init__(self, port: int, *, host: str = HOST, source: str = "") -> None:
        self.sock = socket.create_connection((host, port), LONG, (source, 0) if source else None)

    def send(self, *wires: bytes) -> None:
        """Send messages, framed, in one go."""
        self.sock.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire in wires))

    def receive(self, timeout: float = LONG) -> bytes | None:
        """Return the next message; None when the connection is closed or silent."""
        self.sock.settimeout(timeout)
        try:
            head = self._exactly(2)
            return None if head is None else self._exactly(struct.unpack("!H", head)[0])
        except (TimeoutError, ConnectionError):
            return None

    def ask(self, wire: bytes) -> bytes | None:
        """Send one message and return the next that comes."""
        self.send(wire)
        return self.receive()

    def is_closed_within(self, seconds: float) -> bool:
        """Return whether the server closes the connection in time; what it sends before is dropped."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                if not self.sock.recv(65535):
                    return True
            except ConnectionError:
                return True
            except TimeoutError:
                return False
        return False

    def _exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                return None
            data += more
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()


def query(name: str, qtype: str = "A", *, number: int = 0x1234, **options: object) -> bytes:
    """Return a query as a stub sends it; without EDNS unless asked."""
    message = dns.message.make_query(name, qtype, **options)
    message.id = number
    return message.to_wire(max_size=65535)


def raw(
    body: bytes, *, counts: tuple[int, int, int, int] = (1, 0, 0, 0), flags: int = 0x0100, number: int = 0x1234
) -> bytes:
    """Return a header with anything behind it."""
    return struct.pack("!6H", number, flags, *counts) + body


def read(wire: bytes | None) -> dns.message.Message:
    """Read a reply strictly: no trailing octets, counts that agree."""
    assert wire is not None, "silence"
    return dns.message.from_wire(wire, ignore_trailing=False, raise_on_truncation=False)


def rcode(wire: bytes | None) -> int:
    """Return the four bits of the header's response code."""
    assert wire is not None, "silence"
    return wire[3] & 15


def ask_both(server: Server, wire: bytes) -> list[bytes | None]:
    """Send the same octets over UDP and over TCP; return both replies."""
    with Datagrams(server.port) as datagrams, Stream(server.port) as stream:
        return [datagrams.ask(wire), stream.ask(wire)]


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    with Path(f"/proc/{pid}/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
