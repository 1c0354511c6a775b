"""Listeners on loopback in front of a small handler, with time and policy in the test's hand."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import dns.asyncquery
import dns.message

from sinkhole.config.schema import AccessSettings, RecordSettings, TransportSettings
from sinkhole.errors import ListenError
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.transport.addresses import ListenAddress, bind_tcp, bind_udp
from sinkhole.transport.connections import Connections
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.tcp import TcpListener
from sinkhole.transport.udp import UdpListener

BLOCKED = Verdict(Action.BLOCK, subject="ai", vendor="example")
LONG = 5.0
"""Seconds after which a test fails rather than waits."""


class Clock:
    """Seconds that pass when told to, on top of a start."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def make_policy(*statements: Statement, groups: Sequence[Group] = (), generation: int = 1) -> Policy:
    """Return a policy without names: only its groups and its end matter to the transport."""
    return Policy(NameIndex.from_rules(()), statements, groups, BlockAnswer(), generation)


def address(query: Query, octets: bytes = b"\xc0\x00\x02\x01", ttl: int = 300) -> Record:
    """Return an A record for the name that was asked."""
    return Record(query.question.name, QType.A, 1, ttl, octets)


def text(query: Query, size: int) -> Record:
    """Return a TXT record with `size` octets of data, about."""
    strings = b"".join(b"\xff" + b"x" * 255 for _ in range(size // 256))
    return Record(query.question.name, QType.TXT, 1, 300, strings)


class Counting:
    """A handler that answers each name with 192.0.2.1 and remembers what it was asked."""

    def __init__(self, ttl: float | None = 300.0, verdict: Verdict | None = None) -> None:
        self.queries: list[Query] = []
        self.ttl = ttl
        self.verdict = verdict

    async def __call__(self, query: Query) -> Answer:
        self.queries.append(query)
        return Answer(ReplyBody(0, answer=(address(query),)), self.verdict, self.ttl)


class Serving:
    """UDP and TCP on one loopback port.

    Args:
        handler: what answers; None: `Counting`.
        host: address to listen on.
        access, settings, record: tables of the configuration.
    """

    def __init__(
        self,
        handler: Callable[[Query], Awaitable[Answer]] | None = None,
        *,
        host: str = "127.0.0.1",
        access: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        record: dict[str, Any] | None = None,
        policy: Policy | None = None,
        cache: PacketCache | None = None,
        log_clients: bool = True,
        connections: Connections | None = None,
    ) -> None:
        self._connections = connections
        self.host = host
        self.access = AccessSettings.model_validate(access or {})
        self.settings = TransportSettings.model_validate(settings or {})
        self.handler = handler if handler is not None else Counting()
        self.clock = Clock(1000.0)
        self.wall = Clock(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
        self.box = PolicyBox(policy or make_policy())
        self.hits = Hits(RecordSettings.model_validate(record or {"queries": "all"}))
        self.cache = PacketCache() if cache is None else cache
        gate = ClientGate(
            self.access, lambda client: self.box.current.scope_of(client), clock=self.clock, log_clients=log_clients
        )
        self.dispatch = Dispatch(
            gate, self.cache, self.handler, self.box, self.hits, self.settings,
            slip=self.access.slip, clock=self.clock, wall=self.wall,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        self._udp_socket, self._tcp_socket = bind_pair(self.host)
        self.port = self._udp_socket.getsockname()[1]
        self.udp_listener = UdpListener(self._udp_socket, self.dispatch)
        self.tcp_listener = TcpListener(self._tcp_socket, self.dispatch, self.settings, connections=self._connections)
        self.udp_listener.start()
        self.tcp_listener.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.udp_listener.stop()
        self.tcp_listener.stop()
        await self.udp_listener.drain(0)
        await self.tcp_listener.drain(0)
        self._udp_socket.close()
        self._tcp_socket.close()

    def to(self) -> str:
        """The address a client asks."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    async def udp(self, query: dns.message.Message, **options: Any) -> dns.message.Message:
        """Ask over UDP."""
        return await dns.asyncquery.udp(query, self.to(), LONG, self.port, **options)

    async def tcp(self, query: dns.message.Message, **options: Any) -> dns.message.Message:
        """Ask over TCP."""
        return await dns.asyncquery.tcp(query, self.to(), LONG, self.port, **options)

    async def stream(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect over TCP."""
        return await asyncio.open_connection(self.to(), self.port, **options)

    def datagram_client(self, source: str = "127.0.0.1") -> "RawClient":
        """Return a client that sends what it is told to."""
        return RawClient(source, (self.to(), self.port))


def bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Bind UDP and TCP on one port that is free in both: closed connections of other tests keep theirs for a minute."""
    for _ in range(100):
        tcp = bind_tcp(ListenAddress(host, 0), reuseport=False)
        try:
            return bind_udp(ListenAddress(host, tcp.getsockname()[1]), reuseport=False), tcp
        except ListenError:
            tcp.close()
    raise AssertionError("no port is free in both UDP and TCP")


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
