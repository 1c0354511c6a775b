"""Small fakes that several packages test against: a scripted upstream on loopback, and makers of its answers.

    async with FakeUpstream(answers({("example.org", "A"): ["192.0.2.1"]})) as up:
        ...  # ask 127.0.0.1:up.port over UDP or TCP; up.queries holds what it was sent

The answers are made by dnspython, a stranger to our own encoder.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
Script = Sequence[tuple[float, bytes]] | None
"""What is sent back to one query: (seconds from its arrival, octets) each; None or nothing: silence."""
Handler = Callable[[bytes], Script]


@dataclass(frozen=True, slots=True)
class Seen:
    """One query that arrived: its octets, the transport (`udp`, `tcp`, `tls`) and the sender's address."""

    wire: bytes
    transport: str
    peer: tuple[str, int]


class FakeUpstream:
    """Answer on one loopback port, UDP and TCP, as a handler says.

    Args:
        handler: is called with every query; see `Script`.
        tcp_handler: the same for TCP; None: `handler`.
        on_connection: takes over whole TCP connections, to break them in other ways.
        tls: speak TLS on the TCP port.
        host: address to listen on.
        port: port to listen on; 0: a free one.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        tcp_handler: Handler | None = None,
        on_connection: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object] | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        self.handler = handler
        self.tcp_handler = tcp_handler
        self.host = host
        self.port = port
        self.seen: list[Seen] = []
        self.connections = 0
        self.paused = False
        self._on_connection = on_connection
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    @property
    def queries(self) -> list[bytes]:
        """The octets of every query so far, in order of arrival."""
        return [seen.wire for seen in self.seen]

    @property
    def url(self) -> str:
        """The upstream as the settings spell it (plain DNS)."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        udp_socket, tcp_socket = _bind_both(self.host, self.port)
        self.port = udp_socket.getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=udp_socket)
        self._tcp = await asyncio.start_server(self._connected, sock=tcp_socket, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._udp is not None
        assert self._tcp is not None
        self._udp.close()
        self._tcp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def wait_for(self, count: int, timeout: float = 5.0) -> None:
        """Return once `count` queries have arrived."""
        async with asyncio.timeout(timeout):
            while len(self.seen) < count:
                self._arrived.clear()
                await self._arrived.wait()

    def fileno(self) -> int:
        """Return the descriptor of its UDP socket."""
        assert self._udp is not None
        number: int = self._udp.get_extra_info("socket").fileno()
        return number

    def send(self, wire: bytes, peer: tuple[str, int]) -> None:
        """Send a datagram of one's own from the upstream's port."""
        assert self._udp is not None
        if not self._udp.is_closing():
            self._udp.sendto(wire, peer)

    def see(self, wire: bytes, transport: str, peer: tuple[str, int]) -> Script:
        """Note a query and return what its handler says; nothing while `paused`."""
        self.seen.append(Seen(wire, transport, peer))
        self._arrived.set()
        if self.paused:
            return None
        return (self.handler if transport == "udp" else self.tcp_handler or self.handler)(wire)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._keep(asyncio.ensure_future(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                if self._on_connection is not None:
                    taken = self._on_connection(reader, writer)
                    if asyncio.iscoroutine(taken):
                        await taken
                    return
                while True:
                    wire = await read_frame(reader)
                    peer = writer.get_extra_info("peername")[:2]
                    script = self.see(wire, "tls" if self._tls else "tcp", peer)
                    for delay, answer in script or ():
                        self._keep(asyncio.ensure_future(_write_later(writer, delay, answer)))
        finally:
            writer.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, upstream: FakeUpstream) -> None:
        self._upstream = upstream

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        for delay, answer in self._upstream.see(data, "udp", addr[:2]) or ():
            if delay:
                loop.call_later(delay, self._upstream.send, answer, addr)
            else:
                self._upstream.send(answer, addr)

    def error_received(self, exc: Exception) -> None:
        """Take it calmly that a client closed its socket before the answer."""


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Read one message of a stream (RFC 1035, section 4.2.2)."""
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


async def _write_later(writer: asyncio.StreamWriter, delay: float, answer: bytes) -> None:
    await asyncio.sleep(delay)
    if not writer.is_closing():
        writer.write(struct.pack("!H", len(answer)) + answer)


def _bind_both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return a UDP and a TCP socket on the same port; a free UDP port may be taken in TCP, so try some."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(20):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        tcp = socket.socket(family, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind((host, port))
            tcp.bind((host, udp.getsockname()[1]))
        except OSError as error:
            udp.close()
            tcp.close()
            if error.errno != errno.EADDRINUSE or port:
                raise
        else:
            udp.setblocking(False)
            tcp.setblocking(False)
            return udp, tcp
    raise AssertionError("no port is free in both UDP and TCP")


def reply(
    query: bytes,
    *answer: str,
    rcode: str = "NOERROR",
    authority: Iterable[str] = (),
    additional: Iterable[str] = (),
    flags: str = "",
) -> bytes:
    """Return an answer to `query`, with OPT when it has one.

    Args:
        query: the octets that arrived.
        answer: records in presentation form, such as `example.org. 300 IN A 192.0.2.1`.
        rcode: by name.
        authority: records, as in `answer`.
        additional: records, as in `answer`.
        flags: further flags by name, such as `TC AD`.
    """
    message = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    message.set_rcode(dns.rcode.from_text(rcode))
    message.flags |= dns.flags.from_text(flags)
    for section, lines in ((message.answer, answer), (message.authority, authority), (message.additional, additional)):
        section.extend(_record(line) for line in lines)
    return message.to_wire(max_size=65535)


def _record(line: str) -> dns.rrset.RRset:
    owner, ttl, rclass, rtype, rdata = line.split(None, 4)
    return dns.rrset.from_text(owner, int(ttl), rclass, rtype, rdata)


def answers(records: Mapping[tuple[str, str], Sequence[str]], *, ttl: int = 300, delay: float = 0.0) -> Handler:
    """Return a handler that knows some records, by (lower-case name without dot, type); else NXDOMAIN or NODATA.

    Negative answers carry a SOA of `example.org` with minimum 60 (RFC 2308); an alias under (name, `CNAME`) is
    followed through the map, up to 40 steps.
    """
    names = {name for name, _ in records}

    def handle(query: bytes) -> Script:
        question = dns.message.from_wire(query).question[0]
        owner = question.name.to_text().rstrip(".")
        rtype = dns.rdatatype.to_text(question.rdtype)
        lines: list[str] = []
        exists = owner.lower() in names
        while (values := records.get((owner.lower(), rtype))) is None and (
            alias := records.get((owner.lower(), "CNAME"))
        ):
            lines.append(f"{owner}. {ttl} IN CNAME {alias[0].rstrip('.')}.")
            owner = alias[0].rstrip(".")
            exists = owner.lower() in names
            if len(lines) > 40:
                break
        lines += [f"{owner}. {ttl} IN {rtype} {value}" for value in values or ()]
        soa = [] if values else [f"example.org. {ttl} IN SOA ns.example.org. admin.example.org. 1 3600 600 86400 60"]
        rcode = "NOERROR" if exists or values else "NXDOMAIN"
        return [(delay, reply(query, *lines, rcode=rcode, authority=soa))]

    return handle


def silent(_: bytes) -> Script:
    """Never answer."""
    return None
