"""The straight path says what the chain would have said, whatever an upstream answers, and leaves the same behind."""

import asyncio
import gc
from random import Random

import dns.edns
import dns.flags
import dns.message
import pytest

from sinkhole.policy.statement import Group
from sinkhole.protocol.addresses import read_addresses
from sinkhole.protocol.message import read_message
from sinkhole.protocol.question import read_query
from sinkhole.resolver.straight import Course
from sinkhole.transport.later import StraightLater
from sinkhole.upstream.ahead import Ahead
from sinkhole.upstream.burst import Burst
from sinkhole.upstream.flight import Flight
from tests.transport.asking import question
from tests.transport.straight_rig import (
    HOSTS,
    IGNORED,
    MAKERS,
    TURNING,
    Told,
    addresses,
    make_policy,
    only,
    parts,
    raw,
    record,
    rigs,
    ttls,
    upstream,
)  # fmt: skip


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
    return question(name, random.choice(["A", "A", "AAAA", "HTTPS", "HTTPS", "TXT"]), **options).to_wire()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("settings", [
    {"rebinding": {"enabled": True}},
    {"record": {"queries": "matched"}, "cache": {"min_ttl": 20, "max_ttl": 300, "prefetch": False}},
    {"rebinding": {"enabled": False}, "cache": {"entries": 0}},
    {"scheme": "tcp"},
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
    whole = [addresses(1, 2)(query), raw(query, record(1), additional=b""), ttls(3, 70)(query), MAKERS["padded"](query)]
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


@pytest.mark.parametrize(("word", "kind"), [("one", "A"), ("nx", "A"), ("svc", "HTTPS")])
async def test_reply_is_kept_if_its_query_comes_again(word, kind):
    """A flood of names that come once fills the answers' cache, which knows what was asked for again, and no other."""
    async with rigs(True) as (up, rig):
        rig.has_come_before = False
        wire = question(f"{word}-1.example", kind).to_wire()
        replies, kept = set(), []
        for _ in range(3):
            replies.add(await rig.ask(wire))
            kept.append(len(rig.cache))
        assert (kept, len(replies), len(up.queries), rig.long) == ([0, 1, 1], 1, 1, 1)
        await rig.ask(question("one-2.example").to_wire())
        assert len(rig.cache) == 1


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


@pytest.mark.interpreted
@pytest.mark.parametrize(
    ("part", "does", "codes"),
    [
        ("cache", "may_keep", [2, 0, 2]),  # who joined is given what came
        ("record", "note_straight", [0, 0, 0]),  # all is said by then
    ],
)
async def test_what_goes_wrong_is_told_to_who_waits(monkeypatch, caplog, part, does, codes):
    async with rigs(True, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (_, rig):
        monkeypatch.setattr(getattr(rig.chain.straight, part), does, lambda *_: 1 / 0)
        ways = [question("one-1.example"), question("one-1.example", use_edns=0), question("one-2.example")]
        replies = [dns.message.from_wire(wire).rcode() for wire in await asyncio.gather(
            *(rig.begin(way.to_wire()) for way in ways)
        )]  # fmt: skip
        assert replies == codes
        assert "query.failed" in caplog.text


async def test_reply_leaves_before_what_nobody_waits_for():
    """It is sent first; then the answer is kept and counted, and the socket closed, all in the same turn."""
    async with rigs(True) as (_, rig):
        straight, done = rig.chain.straight, []
        store = straight.cache._store
        later = rig.begin(question("one-1.example").to_wire())
        begun = next(iter(straight.coalesce.flights.values()))
        returner = begun.returner
        begun.returner = Told(lambda reply: (done.append(len(store)), returner.give_back(reply, begun.place)))
        await later
        await asyncio.sleep(0)
        assert done == [0]
        assert len(store) == 1
        rows, _, _ = rig.left()
        assert [(row.name, row.count) for row in rows] == [("one-1.example", 1)]


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
            assert [type(one) for one in left] == [Burst, Burst]  # the last one and the next, which are held
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
