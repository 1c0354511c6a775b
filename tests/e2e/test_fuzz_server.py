"""Mutated packets against the running server, from clients and from its upstream (R-W26, R-P06): it lives on."""

import random
import socket
import struct
import time

import dns.edns
import dns.message
import pytest

from tests.e2e.conftest import UpstreamThread
from tests.e2e.memory import rss_of
from tests.e2e.running import HOST, Server
from tests.fakes import FakeUpstream, Script, reply
from tests.fuzz.mutator import mutations

SEED = 20260302
WINDOW = 50
SENTINEL = 0xFFFF
CONFIG = """
feeds.sync = false
cache.entries = 500
upstream.timeout = 0.1
"""
MAY_GROW_KIB = 8 * 1024


def queries() -> list[bytes]:
    """Return well-formed queries of many kinds, for blocked and for allowed names."""
    options = [dns.edns.GenericOption(code, b"\0" * 8) for code in (8, 10, 11, 12, 65001)]
    made = [
        dns.message.make_query(name, qtype, **extra)
        for name in ("example.org", "chat.deepseek.com", "a" * 63 + ".example.org", "\\000\\255\\010.openai.com", ".")
        for qtype in ("A", "AAAA", "HTTPS", "ANY", "AXFR", "TYPE65300")
        for extra in ({}, {"use_edns": 0, "want_dnssec": True}, {"use_edns": 0, "options": options})
    ]
    made += [
        dns.message.make_query("version.bind", "TXT", rdclass="CH"),
        dns.message.make_query("x.y", "A", use_edns=7),
    ]
    return [message.to_wire() for message in made]


class BadUpstream:
    """Answers each query with what was a good answer once; every third as it is."""

    def __init__(self) -> None:
        self._chance = random.Random(SEED)

    def __call__(self, wire: bytes) -> Script:
        try:
            question = dns.message.from_wire(wire).question[0]
            good = reply(
                wire, f"{question.name} 60 IN A 192.0.2.1", f"{question.name} 60 IN HTTPS 1 x.example. alpn=h2"
            )
        except Exception:  # dnspython refuses names and classes that our forwarder passes on
            return None
        if self._chance.randrange(3) == 0:
            return [(0, good)]
        *_, bad = mutations([good], self._chance.randrange(1 << 30), count=1, seconds=1)
        keep = self._chance.choice((2, len(wire)))  # the id, or the question too
        return [(0, good[:keep] + bad[keep:])]


def is_ours(answer: bytes, sent: set[int]) -> bool:
    """Whether an answer is one: QR=1 and an id that was asked."""
    return len(answer) >= 12 and bool(answer[2] & 0x80) and int.from_bytes(answer[:2], "big") in sent


def flood_udp(server: Server, count: int) -> int:
    """Send mutated datagrams, a window at a time; return how many answers came, each checked."""
    sentinel = dns.message.make_query("chat.deepseek.com", "A", id=SENTINEL).to_wire()
    sent, answers = {SENTINEL}, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.connect((HOST, server.port))
        sock.settimeout(5)
        for number, packet in enumerate(mutations(queries(), SEED, count=count, seconds=600)):
            ident = number % SENTINEL
            sent.add(ident)
            sock.send((ident.to_bytes(2, "big") + packet[2:])[: max(1, len(packet))])
            if number % WINDOW == WINDOW - 1:
                sock.send(sentinel)
                while (answer := sock.recv(65535))[:2] != sentinel[:2]:
                    assert is_ours(answer, sent), answer
                    answers += 1
    return answers


def flood_tcp(server: Server, count: int) -> int:
    """Send mutated streams, one connection each; return how many answers came, each checked."""
    chance = random.Random(SEED)
    framed = [struct.pack("!H", len(wire)) + wire for wire in queries()]
    answers = 0
    for number, packet in enumerate(mutations(queries(), SEED, count=count, seconds=600)):
        wire = number.to_bytes(2, "big") + packet[2:]
        said = struct.pack("!H", len(wire)) + wire
        if chance.randrange(3) == 0:
            *_, said = mutations([said + chance.choice(framed)], number, count=1, seconds=1)
        with socket.create_connection((HOST, server.port), timeout=10) as sock:
            try:
                sock.sendall(said)
                sock.shutdown(socket.SHUT_WR)
                got = b"".join(iter(lambda: sock.recv(65535), b""))
            except ConnectionError:  # it may hang up on nonsense, in the middle of it too
                continue
        while got:
            (length,) = struct.unpack_from("!H", got)
            assert len(got) >= 2 + length >= 14
            assert got[4] & 0x80
            answers += 1
            got = got[2 + length :]
    return answers


def settled(server: Server, seconds: float = 15) -> dict[str, int]:
    """Return the memory of each process once a start is over: when a second makes no difference."""
    deadline = time.monotonic() + seconds
    found = rss_of(server)
    while time.monotonic() < deadline:
        time.sleep(1)
        last, found = found, rss_of(server)
        if all(found[name] < kib + MAY_GROW_KIB / 8 for name, kib in last.items()):
            break
    return found


def fuzz(folder, datagrams: int, streams: int) -> None:
    config = folder / "sinkhole.toml"
    config.write_text(CONFIG)
    with UpstreamThread(FakeUpstream(BadUpstream())) as upstream:
        server = Server(folder / "data", "--config", config, upstream=upstream.port)
        server.start()
        try:
            answers = flood_udp(server, datagrams // 5) + flood_tcp(server, streams // 5)
            before, pids = settled(server), server.pids()
            answers += flood_udp(server, datagrams * 4 // 5) + flood_tcp(server, streams * 4 // 5)
            after = rss_of(server)
            print(f"{datagrams} datagrams, {streams} streams, {answers} answers, KiB before {before}, after {after}")
            assert server.pids() == pids
            assert server.addresses("chat.deepseek.com") == ["0.0.0.0"]
            assert server.addresses("chat.deepseek.com", tcp=True) == ["0.0.0.0"]
            assert answers > datagrams / 4
            for name, kib in after.items():
                assert kib < before[name] * 1.05 + MAY_GROW_KIB, (before, after)
        finally:
            assert server.stop() == 0
        for sign in ("Traceback", "query.failed", "process.died", "job_failed", "Exception"):
            assert sign not in server.log, server.log


def test_mutated_packets(tmp_path):
    """R-W26, R-P06: the short form."""
    fuzz(tmp_path, 6_000, 400)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_100_000_mutated_packets(tmp_path):
    """R-W26, R-P06, R-P04: the long form."""
    fuzz(tmp_path, 100_000, 5_000)
