"""The duties of section R-T that plain UDP and TCP have, asked of the running server from outside."""

import re
import socket
import struct
import time

import dns.edns
import dns.flags
import pytest

from tests.e2e.outside import Datagrams, Stream, query, read
from tests.e2e.running import HOST, running
from tests.e2e.scripted import TRUE_IPV4
from tests.fakes import reply

CONFIG = """
feeds.sync = false
[transport]
tcp_idle_timeout = 2.0
tcp_connections = 60
tcp_connections_per_client = 40
"""
BLOCKED = "chat.deepseek.com"


def addresses(wire: bytes | None) -> list[str]:
    return [str(item) for rrset in read(wire).answer for item in rrset]


def numbers_of(wires: list[bytes | None]) -> list[int]:
    assert None not in wires
    return [struct.unpack("!H", wire[:2])[0] for wire in wires]


def slowly(name: str, seconds: float):
    return lambda wire: [(seconds, reply(wire, f"{name}. 300 IN A {TRUE_IPV4}"))]


def test_udp_and_tcp_on_each_address(tmp_path, world):
    """R-T01: both transports, both families, one policy."""
    words = ("--listen", f"{HOST}:0", "--listen", "[::1]:0")
    with running(tmp_path / "data", *words, upstream=world.port) as server:
        said = server.wait_for(r"server\.ready listen=(.*)")[1]
        v6_port = int(re.search(r"\[::1\]:(\d+)", said)[1])
        for host, port in ((HOST, server.port), ("::1", v6_port)):
            with Datagrams(port, host=host) as udp, Stream(port, host=host) as tcp:
                for ask in (udp.ask, tcp.ask):
                    assert addresses(ask(query("families.example"))) == [TRUE_IPV4]
                    assert addresses(ask(query(BLOCKED))) == ["0.0.0.0"]


def test_pipelined_queries(product):
    """R-T02: fifteen queries in one segment are all answered, and the connection goes on."""
    with Stream(product.port) as stream:
        for _ in range(2):
            stream.send(*(query(f"pipe{n}.example" if n % 3 else BLOCKED, number=n) for n in range(15)))
            assert sorted(numbers_of([stream.receive() for _ in range(15)])) == list(range(15))


def test_answers_out_of_order(product, world):
    """R-T03: a slow name does not hold up a fast one behind it."""
    world.script("slow.example", slowly("slow.example", 0.5))
    with Stream(product.port) as stream:
        stream.send(query("slow.example", number=1), query("fast.example", number=2), query(BLOCKED, number=3))
        assert numbers_of([stream.receive() for _ in range(3)])[-1] == 1


def test_any_segmentation(product):
    """R-T04: one octet a write."""
    wire = query("segments.example")
    with Stream(product.port) as stream:
        stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in struct.pack("!H", len(wire)) + wire:
            stream.sock.sendall(bytes([octet]))
            time.sleep(0.002)
        assert addresses(stream.receive()) == [TRUE_IPV4]


def test_idle_connections_are_closed(product):
    """R-T05: idle, half a prefix, half a message; and one that trickles."""
    with Stream(product.port) as idle, Stream(product.port) as half, Stream(product.port) as part:
        half.sock.sendall(b"\0")
        part.sock.sendall(struct.pack("!H", 40) + b"x" * 10)
        assert idle.is_closed_within(5)
        assert half.is_closed_within(3)
        assert part.is_closed_within(3)


def test_trickling_connections_are_closed(product):
    """R-T05: forty that send an octet of a message now and then do not live for ever, and hold up nobody."""
    tricklers = [Stream(product.port).sock for _ in range(40)]
    try:
        for sock in tricklers:
            sock.sendall(struct.pack("!H", 500))
            sock.setblocking(False)
        deadline = time.monotonic() + 8
        while any(is_open(sock) for sock in tricklers):
            assert time.monotonic() < deadline
            assert product.addresses("trickle.example") == [TRUE_IPV4]
            time.sleep(0.1)
    finally:
        for sock in tricklers:
            sock.close()


def is_open(sock: socket.socket) -> bool:
    """Send one more octet, if the connection is still there."""
    try:
        sock.sendall(b"x")
        return bool(sock.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_connections_are_capped_and_recover(product):
    """R-T05, R-T06: 150 connections do not stop UDP; when they leave TCP is there again."""
    held = [Stream(product.port) for _ in range(150)]
    try:
        assert product.addresses("capped.example") == [TRUE_IPV4]
        served = 0
        for stream in held:
            try:
                stream.send(query("capped.example"))
                served += stream.receive(0.3) is not None
            except OSError:
                continue
        assert served <= 40
    finally:
        for stream in held:
            stream.sock.close()
    with Stream(product.port) as stream:
        assert addresses(stream.ask(query("capped.example"))) == [TRUE_IPV4]


def test_edns_size_does_not_limit_tcp(product, world):
    """R-T07: a 58 kB TXT comes whole, whatever size the client names."""
    texts = [f'huge.example. 300 IN TXT "{n:04}{"x" * 240}"' for n in range(225)]
    for payload in (None, 512, 1232):
        edns = {} if payload is None else {"use_edns": 0, "payload": payload}
        world.script("huge.example", lambda wire: [(0, reply(wire, flags="TC"))],
                     tcp=lambda wire: [(0, reply(wire, *texts))])  # fmt: skip
        with Stream(product.port) as stream:
            got = stream.ask(query("huge.example", "TXT", **edns))
        assert len(got) > 55_000
        assert not read(got).flags & dns.flags.TC


@pytest.mark.parametrize(
    "junk",
    [
        b"\0\0",
        b"\xff\xff" + b"x" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"\0\x05abc",
    ],
)
def test_garbage_on_tcp(product, junk):
    """R-T08: zero length, oversize, HTTP, TLS, reset in the middle: the connection goes, without noise."""
    said = len(product.log)
    for _ in range(30):
        with Stream(product.port) as stream:
            stream.sock.sendall(junk)
            stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with Stream(product.port) as stream:
        stream.sock.sendall(junk)
        assert stream.is_closed_within(4)
    assert product.addresses("garbage.example") == [TRUE_IPV4]
    assert product.log[said:].count("\n") <= 2
    assert "Traceback" not in product.log[said:]


def test_wildcard_answers_from_the_address_asked(tmp_path, world):
    """R-T09: a connected socket on 127.0.0.2 hears from 127.0.0.2; the same in IPv6."""
    with running(tmp_path / "data", "--listen", "0.0.0.0:0", upstream=world.port) as server:
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
            with Datagrams(server.port, host=host) as udp:
                assert addresses(udp.ask(query("wild.example"))) == [TRUE_IPV4]
                assert addresses(udp.ask(query(BLOCKED))) == ["0.0.0.0"]


def test_keepalive(product):
    """R-T10: ignored over UDP; over TCP a value of two octets, and only when asked."""
    keepalive = [dns.edns.GenericOption(11, b"")]
    with Datagrams(product.port) as udp, Stream(product.port) as tcp:
        assert not read(udp.ask(query("keep.example", use_edns=0, options=keepalive))).options
        assert not read(tcp.ask(query("keep.example", use_edns=0))).options
        (found,) = read(tcp.ask(query("keep.example", use_edns=0, options=keepalive))).options
        assert (int(found.otype), len(found.to_wire())) == (11, 2)
        assert struct.unpack("!H", found.to_wire())[0] == 20


def test_designated_resolver(product, world):
    """R-T20: `_dns.resolver.arpa` stays inside; NODATA while there are no encrypted listeners."""
    got = product.ask("_dns.resolver.arpa", "SVCB")
    assert (int(got.rcode()), got.answer) == (0, [])
    assert not world.asked("resolver.arpa")
