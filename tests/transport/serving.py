"""Listeners on loopback in front of a small handler, with time and policy in the test's hand."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import dns.asyncquery
import dns.message

from sinkhole.config.schema import AccessSettings, RecordSettings, TransportSettings
from sinkhole.errors import ListenError
from sinkhole.policy.engine import Policy
from sinkhole.policy.image import NameIndex
from sinkhole.policy.override import Override
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import Action, BlockAnswer, Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.resolver.steps import Done
from sinkhole.transport.addresses import ListenAddress, bind_tcp, bind_udp
from sinkhole.transport.connections import Connections
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.tcp import TcpListener
from sinkhole.transport.udp import UdpListener
from tests.transport.asking import LONG, RawClient

HOME = "127.0.0.1"
BLOCKED = Verdict(Action.BLOCK, subject="ai", vendor="example")


class Clock:
    """Seconds that pass when told to, on top of a start."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def make_policy(
    *statements: Statement, groups: Sequence[Group] = (), generation: int = 1, overrides: Sequence[Override] = ()
) -> Policy:
    """Return a policy without names: only its groups and its end matter to the transport."""
    return Policy(NameIndex.from_rules(()), statements, groups, BlockAnswer(), generation, overrides=overrides)


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


class Slow(Counting):
    """Answers names that begin with `slow` when the test opens the gate."""

    def __init__(self, ttl: float | None = None) -> None:
        super().__init__(ttl)
        self.gate = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)

    async def __call__(self, query):
        if query.question.key[1:5] == b"slow":
            self.waiting.release()
            await self.gate.wait()
        return await super().__call__(query)


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
        begin: Callable[[Query, Done], Answer | None] | None = None,
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
            begin=begin, slip=self.access.slip, clock=self.clock, wall=self.wall,
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        self._udp_socket, self._tcp_socket = bind_pair(self.host)
        self.port = self._udp_socket.getsockname()[1]
        self.udp_listener = UdpListener(self._udp_socket, self.dispatch, self.settings.datagrams)
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


async def say(serving: Serving, wire: bytes, host: str = HOME, *, is_stream: bool = False) -> bytes | None:
    """Hand over one message as a listener does."""
    serving.dispatch.tick()
    if not is_stream:
        (tail,), _ = serving.dispatch.at_hand([wire[2:]], [host])
        if tail is not None:
            return wire[:2] + tail
    outcome = serving.dispatch.stream(wire, host) if is_stream else serving.dispatch.datagram(wire, host)
    return await outcome if isinstance(outcome, Coroutine) else outcome


async def ask(serving: Serving, query: dns.message.Message, host: str = HOME, **options: bool) -> dns.message.Message:
    wire = await say(serving, query.to_wire(), host, **options)
    assert wire is not None
    reply = dns.message.from_wire(wire)
    assert query.is_response(reply)
    return reply
