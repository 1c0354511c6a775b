"""The duties of section R-C towards upstreams, asked of the running server from outside."""

import asyncio
import itertools
import random
import re
import socket
import struct
import time
from contextlib import ExitStack

import dns.message
import dns.rcode
import pytest

from bench.servers import free_port
from tests.e2e.conftest import UpstreamThread
from tests.e2e.outside import Datagrams, query, rcode, read
from tests.e2e.running import HOST, Server, running
from tests.e2e.scripted import TRUE_IPV4, Scripted, name_of
from tests.fakes import FakeUpstream, reply

CONFIG = """
[upstream]
timeout = 0.6
"""
BLOCKED = "chat.deepseek.com"
NOERROR, FORMERR, SERVFAIL, NXDOMAIN = range(4)


@pytest.fixture
def udp(product):
    with Datagrams(product.port) as found:
        yield found


def good(wire: bytes, address: str = TRUE_IPV4) -> bytes:
    """Answer with one address, its owner in the letters that were asked."""
    return reply(wire, f"{dns.message.from_wire(wire).question[0].name} 300 IN A {address}")


def zone(name: str, upstream: FakeUpstream) -> str:
    return f'[[upstream.zones]]\nzone = "{name}"\nservers = ["{upstream.url}"]\n'


def addresses(wire: bytes | None) -> list[str]:
    return [str(item) for rrset in read(wire).answer for item in rrset]


def ede_codes(message: dns.message.Message) -> list[int]:
    return [int(option.code) for option in message.options if option.otype == 15]


def with_question(
    wire: bytes, name: str, qtype: str = "A", rdclass: str = "IN", address: str = "203.0.113.66"
) -> bytes:
    other = dns.message.make_query(name, qtype, rdclass, use_edns=0)
    other.id = struct.unpack("!H", wire[:2])[0]
    forged = dns.message.make_response(other)
    forged.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "A", "203.0.113.66"))
    return forged.to_wire()


FORGERIES = {
    "id": lambda wire: bytes([wire[0] ^ 1]) + good(wire, "203.0.113.66")[1:],
    "question": lambda wire: with_question(wire, "victim.example"),
    "type": lambda wire: with_question(wire, name_of(wire), "AAAA"),
    "class": lambda wire: with_question(wire, name_of(wire), rdclass="CH"),
    "qr": lambda wire: good(wire, "203.0.113.66")[:2] + b"\x01" + good(wire, "203.0.113.66")[3:],
    "opcode": lambda wire: good(wire, "203.0.113.66")[:2] + b"\xa1" + good(wire, "203.0.113.66")[3:],
    "case": lambda wire: good(wire, "203.0.113.66")[:12] + wire[12:].swapcase()[:10] + good(wire, "203.0.113.66")[22:],
    "no question": lambda wire: good(wire)[:4] + bytes(8),
}


@pytest.mark.parametrize("wrong", FORGERIES)
def test_forged_answers_are_not_taken(udp, world, wrong):
    """R-C01: wrong id, question, type, class, QR, opcode, letter case: dropped, and the right one is waited for."""
    name = f"{wrong.replace(' ', '')}.forgeries.example"
    world.script(name, lambda wire: [(0, FORGERIES[wrong](wire)), (0.25, good(wire))])
    assert addresses(udp.ask(query(name))) == [TRUE_IPV4]
    assert addresses(udp.ask(query(name))) == [TRUE_IPV4]


def test_answers_from_another_port_are_not_taken(udp, world):
    """R-C01: the right octets from the wrong port."""

    def handle(wire):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(good(wire, "203.0.113.66"), world.seen[-1].peer)
        return [(0.25, good(wire))]

    world.script("port.forgeries.example", handle)
    assert addresses(udp.ask(query("port.forgeries.example"))) == [TRUE_IPV4]


def test_junk_does_not_end_the_wait(udp, world):
    """R-C02: malformed and header-only packets first, the good one later."""
    for number, junk in enumerate((b"", b"x", bytes(12), b"\xff" * 40)):
        name = f"junk{number}.example"
        world.script(name, lambda wire, junk=junk: [(0, wire[:2] + junk), (0, good(wire)[:20]), (0.2, good(wire))])
        assert addresses(udp.ask(query(name))) == [TRUE_IPV4]
    header = b"\x81\x80" + bytes(8)
    world.script("header.example", lambda wire: [(0, wire[:2] + header), (0.2, good(wire))])
    assert addresses(udp.ask(query("header.example"))) == [TRUE_IPV4]


def test_ports_and_ids_are_unpredictable(udp, world):
    """R-C03: 40 queries with one id: as good as 40 ids and 40 ports."""
    for n in range(40):
        udp.ask(query(f"n{n}.ports.example", number=7))
    seen = world.asked("ports.example")
    ids = [struct.unpack("!H", s.wire[:2])[0] for s in seen]
    ports = [s.peer[1] for s in seen]
    assert len(set(ids)) >= 38
    assert len(set(ports)) >= 36
    for numbers in (ids, ports):
        steps = {b - a for a, b in itertools.pairwise(numbers)}
        assert len(steps) > 30
    assert 7 not in ids or ids.count(7) == 1


def test_equal_queries_share_one(product, world):
    """R-C04: sixty at once are one upstream query."""
    world.script("shared.example", lambda wire: [(0.4, good(wire))])
    clients = [Datagrams(product.port) for _ in range(60)]
    try:
        for client in clients:
            client.send(query("shared.example", number=random.randrange(65536)))
        assert all(addresses(client.receive()) == [TRUE_IPV4] for client in clients)
    finally:
        for client in clients:
            client.__exit__()
    assert len(world.asked("shared.example")) == 1


def test_answers_never_cross(product, world):
    """R-C05: 150 names with different delays, each gets its own address."""
    chance = random.Random(5)
    for n in range(150):
        name, delay = f"n{n}.cross.example", chance.random() * 0.3
        world.script(name, lambda wire, n=n, delay=delay: [(delay, good(wire, f"198.51.100.{n}"))])
    with Datagrams(product.port) as udp:
        for n in range(150):
            udp.send(query(f"n{n}.cross.example", number=n))
        for _ in range(150):
            got = read(udp.receive())
            assert got.question[0].name.to_text() == f"n{got.id}.cross.example."
            assert [str(item) for item in got.answer[0]] == [f"198.51.100.{got.id}"]


def test_truncated_answers_are_asked_for_again_over_tcp(udp, world):
    """R-C07: TC with or without content; TC over TCP too ends in SERVFAIL; nothing truncated is kept."""
    for number, lines in enumerate(([], ["tc{}.example. 300 IN A 203.0.113.66"])):
        name = f"tc{number}.example"
        cut = [line.format(number) for line in lines]
        world.script(name, lambda wire, cut=cut: [(0, reply(wire, *cut, flags="TC"))],
                     tcp=lambda wire: [(0, good(wire))])  # fmt: skip
        for _ in range(2):
            assert addresses(udp.ask(query(name))) == [TRUE_IPV4]
        assert [seen.transport for seen in world.asked(name)] == ["udp", "tcp"]
    world.script("tcloop.example", lambda wire: [(0, reply(wire, flags="TC"))])
    got = udp.ask(query("tcloop.example"))
    assert rcode(got) == SERVFAIL
    assert len(world.asked("tcloop.example")) <= 20


BROKEN_TCP = {
    "reset": lambda reader, writer: writer.transport.abort(),
    "close": lambda reader, writer: writer.close(),
    "short": lambda reader, writer: writer.write(b"\x00\x50\x01\x02"),
    "zero": lambda reader, writer: writer.write(b"\0\0" * 20),
    "trickle": None,
    "silent": lambda reader, writer: None,
}


@pytest.mark.parametrize("how", BROKEN_TCP)
def test_broken_tcp_of_an_upstream_costs_bounded_time(broken_tcp, how):
    """R-C08: reset, close, short, zero length, silence, one octet at a time: SERVFAIL in bounded time and tries."""
    server, fakes = broken_tcp
    began = time.monotonic()
    got = server.ask(f"{how}.{how}-tcp.example", timeout=10)
    assert got.rcode() == dns.rcode.SERVFAIL
    assert time.monotonic() - began < 6
    assert fakes[how].connections <= 10


@pytest.fixture(scope="module")
def broken_tcp(tmp_path_factory):
    """A server that forwards a zone to each kind of broken upstream; all say TC over UDP."""

    async def trickle(reader, writer):
        for octet in b"\x00\x40" + bytes(70):
            writer.write(bytes([octet]))
            await asyncio.sleep(0.2)

    async def hold(reader, writer, do):
        do(reader, writer)
        await reader.read()
        await asyncio.sleep(20)

    def on(do):
        return trickle if do is None else lambda reader, writer: hold(reader, writer, do)

    with ExitStack() as stack:
        fakes = {
            how: stack.enter_context(UpstreamThread(
                FakeUpstream(lambda wire: [(0, reply(wire, flags="TC"))], on_connection=on(do))))
            for how, do in BROKEN_TCP.items()
        }  # fmt: skip
        folder = tmp_path_factory.mktemp("broken")
        zones = [
            f'[[upstream.zones]]\nzone = "{how}-tcp.example"\nservers = ["{up.url}"]\n' for how, up in fakes.items()
        ]
        (folder / "c.toml").write_text("[upstream]\ntimeout = 0.8\n" + "".join(zones))
        yield stack.enter_context(running(folder / "data", "--config", folder / "c.toml", upstream=1)), fakes


def undecodable(wire: bytes) -> list[bytes]:
    """Answers by hand that nobody should take for an answer."""
    whole = good(wire)
    end_of_question = 12 + len(dns.message.from_wire(wire).question[0].name.to_wire()) + 4
    head, owner = whole[:end_of_question], b"\xc0\x0c"
    counts = whole[:6] + b"\0\1\0\0\0\0" + whole[12:end_of_question]
    record = owner + struct.pack("!HHIH", 1, 1, 300, 4)
    return [
        head, whole[:-1], whole[: end_of_question + 5], counts + record + b"\1\2\3",
        counts + owner + struct.pack("!HHIH", 1, 1, 300, 3) + b"\1\2\3",
        counts + owner + struct.pack("!HHIH", 1, 1, 300, 5) + b"\1\2\3\4\5",
        counts + b"\xff\xff" + record[2:] + b"\1\2\3\4", counts + b"\x41" * 10, whole + b"trailing",
        whole[:6] + b"\xff\xff" + whole[8:],
        counts + owner + struct.pack("!HHIH", 5, 1, 300, 2) + b"\xc0\xff",
    ]  # fmt: skip


def test_undecodable_answers_become_servfail(udp, world):
    """R-C09: by hand; never NODATA or NXDOMAIN, and nothing malformed goes to a client."""
    for number in range(11):
        world.script(f"n{number}.undecodable.example", lambda wire, number=number: [(0, undecodable(wire)[number])])
        udp.send(query(f"n{number}.undecodable.example", number=number))
    for _ in range(11):
        got = read(udp.receive(9))
        assert got.rcode() == SERVFAIL, got.id


def test_mutated_answers_never_harm(udp, world):
    """R-C09: 150 mutated answers: what comes out is well-formed, and no denial the upstream did not make."""
    chance = random.Random(9)

    def mutated(wire):
        data = bytearray(good(wire))
        for _ in range(chance.choice((1, 1, 2, 4))):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        return [(0, bytes(data)), (0.05, reply(wire, rcode="SERVFAIL"))]

    for n in range(150):
        world.script(f"n{n}.mutated.example", mutated)
        udp.send(query(f"n{n}.mutated.example", number=n))
    for _ in range(150):
        got = read(udp.receive(9))
        assert got.rcode() in (NOERROR, SERVFAIL)
        assert got.rcode() == SERVFAIL or got.answer


def test_packets_for_one_query_are_bounded(udp, world):
    """R-C10: about twenty, whatever the upstream does: TC, FORMERR, endless chains, all of them at every link."""

    def chain(wire):
        n = int(re.match(r"n(\d+)\.", name_of(wire))[1])
        return reply(wire, f"{dns.message.from_wire(wire).question[0].name} 300 IN CNAME n{n + 1}.costly.example.")

    def slow(wire):
        seen = [s for s in world.seen if name_of(s.wire) == name_of(wire)]
        if len(seen) == 1:
            return [(0, reply(wire, rcode="FORMERR"))]
        return [(0, reply(wire, flags="TC"))]

    for n in range(40):
        world.script(f"n{n}.costly.example", slow, tcp=lambda wire: [(0, chain(wire))])
    before = len(world.seen)
    assert rcode(udp.ask(query("n0.costly.example"), timeout=10)) == SERVFAIL
    assert len(world.seen) - before <= 20
    for how in ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"):
        world.say(f"{how.lower()}.costly.example", rcode=how)
        before = len(world.seen)
        assert rcode(udp.ask(query(f"{how.lower()}.costly.example"), timeout=10)) == SERVFAIL
        assert len(world.seen) - before <= 20


def test_lost_packets_are_repeated(udp, world):
    """R-C11: the first is dropped."""
    world.script("lost.example", lambda wire: None if len(world.asked("lost.example")) == 1 else [(0, good(wire))])
    assert addresses(udp.ask(query("lost.example"))) == [TRUE_IPV4]


def test_silence_ends_in_servfail(tmp_path):
    """R-C11: with the settings as shipped: under 10 s, and EDE 22 or 23."""
    with UpstreamThread(Scripted()) as silent, running(tmp_path / "data", upstream=silent.port) as server:
        silent.paused = True
        began = time.monotonic()
        got = server.ask("silence.example", use_edns=0, timeout=11)
        assert time.monotonic() - began < 10
        assert got.rcode() == dns.rcode.SERVFAIL
        assert set(ede_codes(got)) & {22, 23}
        assert len(silent.asked("silence.example")) >= 2


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A server with two upstreams, in order."""
    with UpstreamThread(Scripted()) as first, UpstreamThread(Scripted()) as second:
        folder = tmp_path_factory.mktemp("pair")
        urls = ", ".join(f'"{up.url}"' for up in (first, second))
        (folder / "c.toml").write_text(f'[upstream]\nservers = [{urls}]\nstrategy = "ordered"\ntimeout = 0.5\n')
        with running(folder / "data", "--config", folder / "c.toml") as server:
            yield server, first, second


@pytest.mark.parametrize("trouble", ["silent", "SERVFAIL", "REFUSED", "NOTIMP"])
@pytest.mark.parametrize("which", [0, 1])
def test_fail_over(pair, trouble, which):
    """R-C12: one of two is silent, refuses or fails: the other answers."""
    server, *ups = pair
    name = f"{trouble.lower()}{which}.failover.example"
    if trouble == "silent":
        ups[which].script(name, lambda wire: None)
    else:
        ups[which].say(name, rcode=trouble)
    assert server.addresses(name) == [TRUE_IPV4]


def test_dead_upstream_is_avoided_and_found_again(pair):
    """R-C12: after some failures it is asked no more, until a probe is answered."""
    server, first, _ = pair
    first.paused = True
    for n in range(8):
        assert server.addresses(f"n{n}.dead.example") == [TRUE_IPV4]
    began = time.monotonic()
    for n in range(8, 28):
        assert server.addresses(f"n{n}.dead.example") == [TRUE_IPV4]
    assert time.monotonic() - began < 1.5
    first.paused = False
    deadline = time.monotonic() + 60
    n = 0
    while not first.asked("again.example"):
        assert time.monotonic() < deadline, "never probed"
        n += 1
        server.addresses(f"n{n}.again.example")
        time.sleep(0.1)


def test_both_refuse_and_both_fail(pair):
    """R-C12: SERVFAIL of all is SERVFAIL, at once."""
    server, *ups = pair
    for trouble in ("SERVFAIL", "REFUSED"):
        for up in ups:
            up.say(f"{trouble.lower()}.both.example", rcode=trouble)
        assert server.ask(f"{trouble.lower()}.both.example").rcode() == dns.rcode.SERVFAIL


def no_edns(wire: bytes, rcode_name: str, *, bare: bool) -> bytes | None:
    """Answer as servers do that never heard of EDNS."""
    message = dns.message.from_wire(wire)
    if message.edns < 0:
        return good(wire)
    if rcode_name == "ignores":
        message.use_edns(False)
        return good(message.to_wire())
    if bare:
        return wire[:2] + bytes([0x81, dns.rcode.from_text(rcode_name)]) + bytes(8)
    plain = dns.message.make_query(message.question[0].name, "A", use_edns=-1)
    plain.id = message.id
    return reply(plain.to_wire(), rcode=rcode_name)


@pytest.mark.parametrize("how", ["ignores", "FORMERR", "NOTIMP", "bare", "BADVERS"])
def test_upstreams_without_edns_still_work(edns_hostile, how):
    """R-C13: FORMERR with and without question, NOTIMP, BADVERS, answers without OPT."""
    assert edns_hostile.addresses(f"www.{how.lower()}-edns.example") == [TRUE_IPV4]
    assert edns_hostile.addresses(f"www2.{how.lower()}-edns.example", use_edns=0) == [TRUE_IPV4]


@pytest.fixture(scope="module")
def edns_hostile(tmp_path_factory):
    """A server that forwards a zone to each kind of upstream that cannot bear EDNS."""

    def badvers(wire):
        if dns.message.from_wire(wire).edns < 0:
            return [(0, good(wire))]
        message = dns.message.make_response(dns.message.from_wire(wire))
        message.set_rcode(dns.rcode.BADVERS)
        return [(0, message.to_wire())]

    kinds = {
        "ignores": lambda wire: [(0, no_edns(wire, "ignores", bare=False))],
        "formerr": lambda wire: [(0, no_edns(wire, "FORMERR", bare=False))],
        "notimp": lambda wire: [(0, no_edns(wire, "NOTIMP", bare=False))],
        "bare": lambda wire: [(0, no_edns(wire, "FORMERR", bare=True))],
        "badvers": badvers,
    }
    with ExitStack() as stack:
        fakes = {how: stack.enter_context(UpstreamThread(FakeUpstream(handler))) for how, handler in kinds.items()}
        folder = tmp_path_factory.mktemp("edns")
        zones = [
            f'[[upstream.zones]]\nzone = "{how}-edns.example"\nservers = ["{up.url}"]\n' for how, up in fakes.items()
        ]
        (folder / "c.toml").write_text("".join(zones))
        yield stack.enter_context(running(folder / "data", "--config", folder / "c.toml", upstream=1))


def test_start_with_the_upstream_down(tmp_path):
    """R-C26: it starts, blocks, and finds the upstream by itself when it comes; by name too, without asking itself."""
    port = free_port()
    with running(tmp_path / "data", upstream=port) as server:
        assert server.addresses(BLOCKED) == ["0.0.0.0"]
        assert server.ask("down.example", timeout=10).rcode() == dns.rcode.SERVFAIL
        up = Scripted()
        up.port = port
        with UpstreamThread(up):
            deadline = time.monotonic() + 30
            while server.ask(f"n{time.monotonic_ns()}.example", timeout=10).rcode() != dns.rcode.NOERROR:
                assert time.monotonic() < deadline


def test_upstream_whose_name_cannot_be_looked_up(tmp_path):
    """R-C26: the name of an upstream is never asked of ourselves; meanwhile what is blocked is blocked."""
    config = tmp_path / "c.toml"
    config.write_text(f'[upstream]\nservers = ["udp://nowhere.invalid:5399"]\nbootstrap = ["{HOST}"]\ntimeout = 0.3\n')
    server = Server(tmp_path / "data", "--config", config)
    server.start()
    try:
        assert server.addresses(BLOCKED) == ["0.0.0.0"]
        assert server.ask("name.example", timeout=10).rcode() == dns.rcode.SERVFAIL
    finally:
        assert server.stop() == 0


def test_outage_of_the_upstream(tmp_path):
    """R-C27: with 150 clients waiting, blocked, local and cached names are answered at once; it recovers by itself."""
    with UpstreamThread(Scripted()) as up, running(tmp_path / "data", upstream=up.port) as server:
        server.addresses("known.example")
        up.paused = True
        waiting = [Datagrams(server.port) for _ in range(150)]
        try:
            for n, client in enumerate(waiting):
                client.send(query(f"n{n}.outage.example"))
            times = []
            for _ in range(20):
                for name in (BLOCKED, "localhost", "known.example"):
                    began = time.monotonic()
                    assert server.addresses(name)
                    times.append(time.monotonic() - began)
            assert sorted(times)[len(times) // 2] < 0.02
            assert max(times) < 0.3
            up.paused = False
            assert all(rcode(client.receive(10)) in (NOERROR, SERVFAIL) for client in waiting)
            assert server.addresses("after.outage.example") == [TRUE_IPV4]
        finally:
            for client in waiting:
                client.__exit__()
