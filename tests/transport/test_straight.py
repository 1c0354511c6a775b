"""The straight path says what the chain would have said, whatever an upstream answers, and leaves the same behind."""

import asyncio
import gc
import struct
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype
import pytest

from sinkhole.config.schema import Settings, UpstreamSettings
from sinkhole.policy.image import NameIndex
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer
from sinkhole.protocol.addresses import read_addresses
from sinkhole.protocol.message import read_message
from sinkhole.protocol.question import read_query
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.sightings import Sightings
from sinkhole.resolver.straight import Course
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.later import StraightLater
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.upstream import Forwarder
from sinkhole.upstream.ahead import Ahead
from sinkhole.upstream.burst import Burst, Flight
from tests.fakes import FakeUpstream, reply
from tests.policy import world
from tests.policy.test_signs import BOOK, BRANDS
from tests.transport.asking import question
from tests.transport.serving import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOA = "example. 300 IN SOA ns.example. admin.example. 1 3600 600 86400 60"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
A = {1: bytes((198, 51, 100, 7)), 28: bytes.fromhex("20010db8000000000000000000000007")}
HOSTS = ("192.168.1.9", "192.168.1.10")


def parts(query):
    """The query's header fields, the end of its question, and its type."""
    end = query.index(b"\0", 12) + 5
    return query[:2], end, int.from_bytes(query[end - 4 : end - 2])


def record(qtype, ttl=300, data=None, owner=b"\xc0\x0c", rclass=1):
    data = A.get(qtype, b"\x03abc") if data is None else data
    return owner + struct.pack("!HHIH", qtype, rclass, ttl & 0xFFFFFFFF, len(data)) + data


def raw(query, *records, flags=0x8180, additional=OPT, count=None, asked=None):
    """An answer made by hand; `additional` as in its section."""
    ident, end, _ = parts(query)
    counts = struct.pack("!5H", flags, 1, len(records) if count is None else count, 0, 1 if additional else 0)
    return ident + counts + (asked or query[12:end]) + b"".join(records) + additional


def only(**options):
    return lambda query: raw(query, record(parts(query)[2], options.pop("ttl", 300)), **options)


def text(*lines, **options):
    def make(query):
        name = dns.message.from_wire(query).question[0].name.to_text()
        kind = dns.rdatatype.to_text(parts(query)[2])
        data = "198.51.100.8" if kind == "A" else "2001:db8::8"
        return reply(query, *(line.format(name=name, kind=kind, data=data) for line in lines), **options)

    return make


def addresses(*last, ttl=300, prefix=None):
    def make(query):
        qtype = parts(query)[2]
        start = prefix or {1: bytes((198, 51, 100)), 28: A[28][:15]}.get(qtype, b"\x02a")
        return raw(query, *(record(qtype, ttl, start + bytes((one,))) for one in last))

    return make


def ttls(*values):
    return lambda query: raw(query, *(
        record(parts(query)[2], ttl, A.get(parts(query)[2], b"\1")[:-1] + bytes((n,))) for n, ttl in enumerate(values)
    ))  # fmt: skip


def private(query):
    data = {1: bytes((10, 0, 0, 1)), 28: bytes.fromhex("fd000000000000000000000000000001")}
    return raw(query, record(parts(query)[2], data=data.get(parts(query)[2])), record(parts(query)[2]))


def swapped(query):
    return raw(query, record(parts(query)[2]), asked=query[12 : parts(query)[1]].swapcase())


MAKERS = {
    "one": only(), "bare": only(additional=b""), "aa": only(flags=0x8580), "ad": only(flags=0x81A0),
    "tc": only(flags=0x8380), "servfail": only(flags=0x8182), "refused": only(flags=0x8185),
    "many": addresses(1, 2, 3), "twice": addresses(4, 4), "crowd": addresses(*range(28)), "mass": addresses(*range(40)),
    "ttls": ttls(30, 300, 7), "zero": ttls(0), "some": ttls(0, 300), "sign": ttls(0x80000001), "long": ttls(0x7FFFFFFF),
    "brief": ttls(5), "private": private, "mapped": addresses(1, prefix=bytes.fromhex("00" * 10 + "ffff0a0000")),
    "alias": text("{name} 300 IN CNAME t.other.example.", "t.other.example. 60 IN {kind} {data}"),
    "open": text("{name} 300 IN CNAME one-end.example."),
    "cloaked": text("{name} 300 IN CNAME x.deepseek.example.", "x.deepseek.example. 60 IN {kind} {data}"),
    "nx": text(rcode="NXDOMAIN", authority=[SOA]), "nodata": text(authority=[SOA]), "nothing": text(),
    "whole": text("{name} 300 IN {kind} {data}"), "extra": text("{name} 300 IN {kind} {data}", additional=[SOA]),
    "beside": text("{name} 300 IN {kind} {data}", authority=[SOA]),
    "txt": lambda query: raw(query, record(16)), "class": lambda query: raw(query, record(parts(query)[2], rclass=3)),
    "short": lambda query: raw(query, record(parts(query)[2], data=b"\1\2\3")),
    "cut": lambda query: only()(query)[:-3],
    "torn": lambda query: only(additional=b"")(query)[:-1], "more": lambda query: only()(query) + b"\0",
    "count": lambda query: raw(query, record(parts(query)[2]), count=2),
    "ede": only(additional=b"\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0f\0\x02\0\x0a"),
    "rcode": only(additional=b"\0\0\x29\x04\xd0\1\0\0\0\0\0"), "do": only(additional=b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"),
    "version": only(additional=b"\0\0\x29\x04\xd0\0\1\0\0\0\0"), "query": only(flags=0x0180), "op": only(flags=0x8980),
    "owner": lambda query: raw(query, record(parts(query)[2], owner=b"\x05other\x07example\0")),
    "swapped": swapped, "error": lambda query: query[:2] + b"\x81\x81" + bytes(8),
}  # fmt: skip
"""What upstreams say to a name that begins with the word."""
IGNORED = ("cut", "torn", "more", "count", "short", "query", "op")
"""What is no answer, so that the wait goes on."""
TURNING = ("swapped", "error", "tc")
"""What changes how an upstream is asked, for this question or for an hour."""


def upstream(wire):
    """Answer by the first label; over TCP, after noise, or to what has no EDNS, plainly."""
    word = wire[13 : 13 + wire[12]].lower().decode("latin-1").partition("-")[0]
    if word == "noise":
        good = only()(wire)
        return [(0, b""), (0, bytes((good[0] ^ 1,)) + good[1:]), (0, good[:20]), (0.01, good)]
    return [(0, MAKERS.get(word, only())(wire))]


class Rig:
    """A dispatch with the real chain and forwarder."""

    def __init__(self, policy, up, *, is_straight, timeout=2.0, **settings):
        settings = {"record": {"queries": "all"}, **settings}
        self.settings = Settings.model_validate(settings)
        limits = settings.pop("upstream", {})
        servers = UpstreamSettings(servers=(up.url,), timeout=timeout, tries=2, **limits)
        self.clock, self.wall, self.box = Clock(1000.0), Clock(NOON.timestamp()), PolicyBox(policy)
        self.hits, self.sightings = Hits(self.settings.record), Sightings(self.box, clients=True)
        self.forwarder = Forwarder(servers)
        self.chain = build_chain(
            self.settings, self.box, self.forwarder, self.hits, clock=self.clock, sightings=self.sightings,
            forerunner=self.forwarder if is_straight else None,
        )  # fmt: skip
        gate = ClientGate(self.settings.access, lambda host: self.box.current.scope_of(host), clock=self.clock)
        self.cache = PacketCache()
        self.long = 0
        self.dispatch = Dispatch(
            gate, self.cache, self.chain, self.box, self.hits, self.settings.transport, at_once=self.chain.at_once,
            begin=self._begin, straight=self.chain.straight, local=self.chain.local_zones,
            clock=self.clock, wall=self.wall,
        )  # fmt: skip

    def _begin(self, query, done):
        self.long += 1
        return self.chain.begin(query, done)

    def begin(self, wire, host=HOSTS[0]):
        """Return a future of the reply."""
        future = asyncio.get_running_loop().create_future()
        self.dispatch.tick()
        outcome = self.dispatch.datagram(wire, host)
        if isinstance(outcome, bytes) or outcome is None:
            future.set_result(outcome)
        else:
            outcome.send = future.set_result
        return future

    async def ask(self, wire, host=HOSTS[0]):
        return await asyncio.wait_for(self.begin(wire, host), 5)

    def left(self):
        """What is left behind: hits, sightings, where answers came from."""
        self.dispatch.flush_hits()
        rows = sorted(self.hits.drain(100_000), key=lambda row: (row.client, row.name, row.qtype, row.count))
        seen = sorted(self.sightings.drain(1000), key=lambda one: one.domain)
        return rows, seen, dict(self.chain.sources)

    async def close(self):
        await self.chain.close()
        await self.forwarder.close()


def make_policy(*said, groups=()):
    lists = [world.listed("ads", "ads.example", part_of_ai=True)]
    vendors = [world.vendor("deepseek", world.product("deepseek/chat", world.domain("deepseek.example")))]
    index = NameIndex.from_rules(lists, vendors, (), (), BRANDS, BOOK)
    said = said or ("block vendor:deepseek", "block ai", "monitor domain:watched.example", "monitor lookalikes")
    return world.Policy(index, world.statements(*said), groups, BlockAnswer(), 1)


@asynccontextmanager
async def rigs(*flags, policy=None, handler=upstream, **settings):
    made = []
    async with FakeUpstream(handler) as up:
        try:
            made = [Rig(policy or make_policy(), up, is_straight=flag, **settings) for flag in flags]
            yield (up, *made)
        finally:
            for rig in made:
                await rig.close()


def random_query(random):
    made = [word for word in MAKERS if word not in (*IGNORED, *TURNING)]
    word = random.choice([*made, "one", "many", "noise", "novelai", "nas", "localhost", "ads"])
    zone = random.choice(
        ["example", "Example", "co.uk", "deepseek.example", "watched.example", "home.example", "ai", "test"]
    )
    name = f"{word}-{random.randint(1, 3)}.{zone}" if random.random() < 0.9 else word
    options = random.choice([
        {}, {}, {"use_edns": 0}, {"use_edns": 0, "payload": 512}, {"use_edns": 0, "payload": 4096},
        {"use_edns": 0, "want_dnssec": True}, {"use_edns": 0, "options": [dns.edns.GenericOption(10, b"cookie12")]},
        {"flags": dns.flags.RD | dns.flags.AD}, {"flags": dns.flags.RD | dns.flags.CD}, {"flags": 0}, {"use_edns": 1},
    ])  # fmt: skip
    return question(name, random.choice(["A", "A", "A", "AAAA", "AAAA", "TXT"]), **options).to_wire()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("settings", [
    {}, {"record": {"queries": "matched"}, "cache": {"min_ttl": 20, "max_ttl": 300, "prefetch": False}},
    {"rebinding": {"enabled": False}, "cache": {"entries": 0}},
])  # fmt: skip
async def test_all_is_as_the_chain_says(seed, settings):
    groups = (Group("lab", (HOSTS[1],)),)
    policy = make_policy("block vendor:deepseek", "monitor domain:watched.example", "block ai for lab", groups=groups)
    settings = {"records": ["nas.home.example A 192.0.2.9"], **settings}
    async with rigs(True, False, policy=policy, **settings) as (_, straight, long):
        random = Random(seed)
        asked = 0
        for _ in range(150):
            wire, host = random_query(random), random.choice(HOSTS)
            asked += 1
            assert await straight.ask(wire, host) == await long.ask(wire, host), wire
            for rig in (straight, long) if random.random() < 0.1 else ():
                rig.clock.now += 3
                rig.wall.now += 3
        assert straight.left() == long.left()
        assert straight.long < long.long < asked


@pytest.mark.parametrize("word", IGNORED)
async def test_what_is_no_answer_is_waited_through_on_either_way(word):
    async with rigs(True, False, timeout=0.06) as (_, straight, long):
        replies = [await rig.ask(question(f"{word}-1.example").to_wire()) for rig in (straight, long)]
        assert [dns.message.from_wire(wire).rcode() for wire in replies] == [2, 2]


def test_whatever_is_read_on_the_straight_path_reads_the_same_the_long_way():
    """By every message cut short, and by messages with one octet changed."""
    query = question("one-1.example", "A").to_wire()
    sent = read_query(query).question
    end = parts(query)[1]
    random = Random(11)
    whole = [addresses(1, 2)(query), raw(query, record(1), additional=b""), ttls(3, 70)(query)]
    messages = [wire[:size] for wire in whole for size in range(len(wire) + 1)]
    for _ in range(6000):
        wire = bytearray(random.choice(whole))
        wire[random.randrange(2, len(wire))] = random.randrange(256)
        messages.append(bytes(wire))
    accepted = 0
    for got in messages:
        found = read_addresses(query, end, got)
        if found is None:
            continue
        accepted += 1
        message = read_message(got)
        assert message.question == sent
        assert message.answer == found.records(sent.name, 1)
        assert (message.rcode, message.tc, message.authority, message.additional) == (0, False, (), ())
        assert (found.ttl, found.most_ttl) == (min(r.ttl for r in message.answer), max(r.ttl for r in message.answer))
    assert 500 < accepted < len(messages) - 500


async def test_what_comes_first_is_what_is_kept():
    async with rigs(True, False) as (up, straight, long):
        for rig in (straight, long):
            first = await rig.ask(question("many-1.example").to_wire())
            again = await rig.ask(question("many-1.example", use_edns=0).to_wire())  # another form: the answers' cache
            rig.clock.now += 10
            later = await rig.ask(question("many-1.example").to_wire())
            assert [dns.message.from_wire(wire).answer[0].ttl for wire in (first, again, later)] == [300, 300, 290]
        assert len(up.queries) == 2
        assert straight.long == 1
        assert straight.left() == long.left()


async def test_equal_questions_share_one_flight_on_either_way():
    async with rigs(True, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (up, rig):
        ways = [question("one-1.example"), question("one-1.example"), question("one-1.example", use_edns=0),
                question("ONE-1.example")]  # fmt: skip
        replies = await asyncio.gather(*(rig.begin(way.to_wire()) for way in ways))
        assert len(up.queries) == 1
        assert all(dns.message.from_wire(wire).answer[0][0].address == "198.51.100.7" for wire in replies)
        assert rig.long == 3


async def test_who_joined_asks_by_himself_where_there_is_more_than_addresses():
    async with rigs(True, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (up, rig):
        replies = await asyncio.gather(*(rig.begin(question("nx-1.example").to_wire()) for _ in range(5)))
        assert {dns.message.from_wire(wire).rcode() for wire in replies} == {3}
        assert len(up.queries) <= 2
        assert not rig.chain.straight.coalesce.flights


async def test_long_way_begins_with_the_answer_at_hand():
    async with rigs(True) as (up, rig):
        for word in ("nx", "alias", "private", "zero", "beside"):
            await rig.ask(question(f"{word}-1.example").to_wire())
        assert len(up.queries) == 5


async def test_failed_try_counts_as_the_first():
    async with rigs(True, False, timeout=0.06, handler=lambda _: None) as (up, straight, long):
        replies = [await rig.ask(question("one-1.example").to_wire()) for rig in (straight, long)]
        assert dns.message.from_wire(replies[0]).rcode() == 2
        assert len(up.queries) == 4  # two tries each


async def test_truncated_and_changed_case_go_to_tcp():
    for word in ("tc", "swapped"):
        async with rigs(True, handler=upstream) as (up, rig):
            up.tcp_handler = lambda wire: [(0, only()(wire))]
            reply = dns.message.from_wire(await rig.ask(question(f"{word}-1.example").to_wire()))
            assert reply.answer[0][0].address == "198.51.100.7"
            assert [seen.transport for seen in up.seen] == ["udp", "tcp"]


async def test_policy_that_changes_on_the_way_judges_the_answer():
    async with rigs(True, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (up, rig):
        waiting = rig.begin(question("one-1.late.example").to_wire())
        rig.box.current = make_policy("block domain:late.example")
        reply = dns.message.from_wire(await waiting)
        assert reply.answer[0][0].address == "0.0.0.0"
        assert len(up.queries) == 1
        rows, _, _ = rig.left()
        assert [(row.action, row.count) for row in rows] == [("block", 1)]


async def test_what_goes_wrong_is_told_to_all_who_wait(monkeypatch, caplog):
    async with rigs(True, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (_, rig):
        monkeypatch.setattr(rig.chain.straight.record, "note_addresses", lambda *_: 1 / 0)
        ways = [question("one-1.example"), question("one-1.example", use_edns=0), question("one-2.example")]
        replies = [dns.message.from_wire(wire).rcode() for wire in await asyncio.gather(
            *(rig.begin(way.to_wire()) for way in ways)
        )]  # fmt: skip
        assert replies == [2, 0, 2]  # who joined found the answer kept
        assert "query.failed" in caplog.text


async def test_nothing_is_left_for_the_collector():
    async with rigs(True) as (_, rig):
        await rig.ask(question("one-0.example").to_wire())
        gc.collect()
        gc.disable()
        try:
            for number in range(1, 40):
                await rig.ask(question(f"one-{number}.example").to_wire())
                await rig.ask(question(f"nx-{number}.example").to_wire())
            kinds = (Course, Ahead, Flight, Burst, StraightLater)
            left = [one for one in gc.get_objects() if isinstance(one, kinds)]
            assert [type(one) for one in left] == [Burst]  # the last one, which is held
        finally:
            gc.enable()


async def test_limits_count_what_is_on_the_way():
    async with rigs(True, timeout=0.06, handler=lambda _: None, upstream={"max_in_flight_per_client": 3}) as (up, rig):
        replies = [rig.begin(question(f"one-{number}.example").to_wire()) for number in range(6)]
        assert [dns.message.from_wire(await reply).rcode() for reply in replies] == [2] * 6
        assert len({question_of(wire) for wire in up.queries}) == 3


def question_of(wire):
    return wire[12 : parts(wire)[1]].lower()


async def test_nothing_of_a_name_that_is_answered_here_leaves():
    records = ["nas.home.example A 192.0.2.9"]
    async with rigs(True, records=records) as (up, rig):
        for name in ("nas.home.example", "x.localhost", "printer.local", "a.test", "1.0.0.10.in-addr.arpa",
                     "use-application-dns.net", "x.ads.example", "api.deepseek.example"):  # fmt: skip
            assert await rig.ask(question(name).to_wire())
        assert up.queries == []
