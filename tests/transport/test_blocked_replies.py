"""Replies made of pieces are those that the whole chain would have given, and are counted as they are."""

import itertools
import struct
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from random import Random

import dns.edns
import dns.flags
import dns.message
import pytest

from sinkhole.config.schema import Settings
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.rule import Condition, Match, Rule, RuleAction
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.resolver.build import Chain, build_chain
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.transport import blocked_replies
from sinkhole.transport.dispatch import Dispatch
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import PacketCache
from tests.cost import least_cost
from tests.policy import world
from tests.transport.asking import question
from tests.transport.serving import Clock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LISTS = (world.listed("ads", "ads.example", "tracker.invalid", "one", part_of_ai=True),)


class NoUpstream:
    async def resolve(self, *_, **__):
        raise AssertionError("a blocked name needs no upstream")


class Rig:
    """A dispatch with the real chain; `is_off`: without pieces."""

    def __init__(self, policy: Policy, *, is_off: bool = False, **settings: object) -> None:
        self.settings = Settings.model_validate({"record": {"queries": "all"}, **settings})
        self.clock, self.wall = Clock(1000.0), Clock(NOON.timestamp())
        self.hits = Hits(self.settings.record)
        self.chain_asked = 0
        self.box = box = PolicyBox(policy)
        chain = build_chain(self.settings, box, NoUpstream(), self.hits, clock=self.clock)
        self.gate = ClientGate(self.settings.access, policy.scope_of, clock=self.clock)
        self.cache = PacketCache()
        self.dispatch = Dispatch(
            self.gate, self.cache, chain, box, self.hits, self.settings.transport,
            at_once=lambda query: self._count(chain, query), local=None if is_off else chain.local_zones,
            clock=self.clock, wall=self.wall,
        )  # fmt: skip

    def _count(self, chain: Chain, query):
        self.chain_asked += 1
        return chain.at_once(query)

    def say(self, query: dns.message.Message | bytes, host: str = "192.168.1.9", *, is_stream: bool = False):
        wire = query if isinstance(query, bytes) else query.to_wire()
        self.dispatch.tick()
        if not is_stream:
            (tail,), _ = self.dispatch.at_hand([wire[2:]], [host])
            if tail is not None:
                return wire[:2] + tail
        outcome = self.dispatch.stream(wire, host) if is_stream else self.dispatch.datagram(wire, host)
        assert not isinstance(outcome, Coroutine)
        return outcome

    def rows(self):
        self.dispatch.flush_hits()
        return sorted(self.hits.drain(100_000), key=lambda row: (row.client, row.name, row.qtype))


def policy(*said: str, mode: BlockMode = BlockMode.ADDRESS, **options) -> Policy:
    options.setdefault("answer", BlockAnswer(mode, "192.0.2.53", None))
    return world.make_policy(said or ["block ai"], *LISTS, **options)


NAMES = (
    "ads.example", "a.ads.example", "bc.ads.example", "b.c.ads.example", "deepseek.example", "a.deepseek.example",
    "api.deepseek.example", "v1.api.deepseek.example", "one", "a.one", "b.a.one", "x.tracker.invalid",
    "nas.home.example",
    "status.deepseek.example", "model.eu.cloud.example", "home.arpa", "a.b.c.d.e.f.g.ads.example", "A.ADS.example",
    "lock.ads.example", "x.lock.ads.example", "l" * 60 + "." + "m" * 60 + ".ads.example",
)  # fmt: skip


def queries(random: Random, count: int):
    for _ in range(count):
        name = random.choice(NAMES) if random.random() < 0.5 else f"{'x' * random.randint(1, 9)}.{random.choice(NAMES)}"
        if random.random() < 0.6:
            yield question(name, random.choice(["A", "AAAA", "HTTPS"]))
            continue
        flags = random.choice([dns.flags.RD, dns.flags.RD | dns.flags.CD, dns.flags.RD | dns.flags.AD, 0])
        edns = random.choice([
            {}, {}, {"use_edns": 0}, {"use_edns": 0, "want_dnssec": True}, {"use_edns": 0, "payload": 512},
            {"use_edns": 0, "options": [dns.edns.GenericOption(10, b"cookie12")]}, {"use_edns": 1},
        ])  # fmt: skip
        yield question(name, random.choice(["A", "AAAA", "HTTPS", "TXT", "MX", "ANY"]), flags=flags, **edns)


@pytest.mark.parametrize("mode", list(BlockMode))
@pytest.mark.parametrize("is_stream", [False, True])
def test_replies_and_hits_are_those_of_the_chain(mode, is_stream):
    groups = (Group("lab", ("192.168.1.9",)), Group("other", ("192.168.1.10",), answer=BlockAnswer(BlockMode.REFUSED)))
    said = ("block ai", "allow vendor:deepseek for lab", "block domain:lock.ads.example", "monitor lookalikes")
    made = policy(*said, mode=mode, groups=groups)
    settings = {"records": ["nas.home.example A 192.0.2.9"], "blocking": {"explain_to": ["192.168.1.10"]}}
    fast, slow = Rig(made, **settings), Rig(made, is_off=True, **settings)
    random = Random(7)
    hosts = ["192.168.1.9", "192.168.1.10", "192.168.1.11"]
    for query in queries(random, 2500):
        if not made.decide(question_name(query), 1, EVERYONE, NOON).is_blocked:
            continue
        host = random.choice(hosts)
        if not made.decide(question_name(query), 1, made.scope_of(host), NOON).is_blocked:
            continue
        assert fast.say(query, host, is_stream=is_stream) == slow.say(query, host, is_stream=is_stream), query
    assert fast.rows() == slow.rows()
    assert fast.chain_asked < slow.chain_asked * 0.85


def question_name(query: dns.message.Message) -> bytes:
    return query.question[0].name.to_wire()


def test_further_names_of_a_spot_do_not_pass_the_chain():
    rig = Rig(policy())
    for number in range(10, 60):
        reply = dns.message.from_wire(rig.say(question(f"x{number}.ads.example")))
        assert reply.answer[0].to_text() == f"x{number}.ads.example. 10 IN A 192.0.2.53"
    assert rig.chain_asked == 1
    assert [(row.name, row.count) for row in rig.rows()] == [(f"x{n}.ads.example", 1) for n in range(10, 60)]
    assert rig.gate.count_activities(9, at_once=True)[0].queries == 50


def test_name_asked_again_is_kept_and_name_asked_once_is_not():
    rig = Rig(policy())
    rig.say(question("a.ads.example"))
    before = len(rig.cache)
    rig.say(question("b.ads.example"))
    assert len(rig.cache) == before
    for _ in range(3):
        rig.say(question("b.ads.example"))
    assert len(rig.cache) == before + 1
    assert {row.name: row.count for row in rig.rows()} == {"a.ads.example": 1, "b.ads.example": 4}


@pytest.mark.interpreted
def test_pieces_are_bounded(monkeypatch):
    monkeypatch.setattr(blocked_replies, "MAX_PIECES", 3)
    rig = Rig(policy())
    for length in range(1, 30):
        rig.say(question(f"{'x' * length}.ads.example", "AAAA"))
        table = rig.gate.admit("192.168.1.9").datagrams
        assert len(table.pieces) <= 3
        assert len(table.forms) <= 3


def test_new_policy_forgets_them():
    rig = Rig(policy())
    rig.say(question("a.ads.example"))
    rig.box.current = policy("allow ai", "block domain:other.example")
    rig.dispatch.tick()
    assert not rig.gate.admit("192.168.1.9").datagrams


def test_ttl_ends_with_the_policy_that_blocks():
    """What is left until the edge may be less than the TTL of the pieces."""
    edge = NOON + timedelta(seconds=25)
    statement = Statement(1, Subject.from_text("ai"), Action.BLOCK, expires=edge)
    rig = Rig(policy(statement, "monitor lookalikes"))
    ttls = []
    for second in (0, 5, 14, 16, 20):
        rig.clock.now, rig.wall.now = 1000.0 + second, NOON.timestamp() + second
        reply = dns.message.from_wire(rig.say(question(f"x{second:02}.ads.example")))
        ttls.append(reply.answer[0].ttl)
    assert ttls == [10, 10, 10, 9, 5]


def test_schedule_decides_at_its_edge():
    statement = Statement(1, Subject.from_text("ai"), Action.BLOCK, schedule=schedule_from_text("mon 08:00-12:01 @UTC"))
    rig = Rig(policy(statement, "block domain:ads.example"))
    assert b"policy ai" not in rig.say(question("a.ads.example", use_edns=0))
    assert b"policy ai" in rig.say(question("aa.deepseek.example", use_edns=0))
    assert b"policy ai" in rig.say(question("bb.deepseek.example", use_edns=0))
    rig.clock.now, rig.wall.now = rig.clock.now + 61, rig.wall.now + 61
    assert not rig.gate.admit("192.168.1.9").datagrams.pieces or rig.dispatch.tick() is None
    table = rig.gate.admit("192.168.1.9").datagrams
    assert table is None or not table.pieces


def test_rows_about_types_are_asked_each_time():
    row = Rule(Match.SUFFIX, "ads.example", RuleAction.BLOCK, condition=Condition((1,), (), (), ()), line=1)
    made = world.make_policy(["block ai"], world.listed("ads", row, part_of_ai=True))
    rig = Rig(made)
    for number in range(5):
        rig.say(question(f"x{number}.ads.example"))
    assert rig.chain_asked == 5


def test_own_records_and_special_names_come_first():
    rig = Rig(policy(), records=["nas.deep.ads.example A 192.0.2.9"])
    for name in ("a.ads.example", "b.ads.example"):
        rig.say(question(name))
    assert rig.chain_asked == 2  # of a domain with a record of ours, each name passes the chain
    reply = dns.message.from_wire(rig.say(question("nas.deep.ads.example")))
    assert reply.answer[0][0].address == "192.0.2.9"


def test_malformed_names_are_left_to_the_parser():
    rig = Rig(policy())
    good = question("a.ads.example").to_wire()
    rig.say(good)
    for wire in (good[:12] + b"\x40" + good[13:], good[:20], good[:12] + b"\x3f" * 200, good[:-4] + b"\0\1\0"):
        reply = rig.say(wire)
        assert reply is not None
        assert dns.message.from_wire(reply, ignore_trailing=True, question_only=True).rcode() == 1
    long = good[:12] + (b"\x3f" + b"a" * 63) * 4 + good[14:]
    assert dns.message.from_wire(rig.say(long), question_only=True).rcode() == 1


def test_record_that_points_into_the_name_is_read_anew_in_each_query():
    """Behind a name of other labels the same pointer leads to the middle of one."""
    pointing = b"\xc0\x11" + struct.pack("!HHIH", 16, 1, 0, 0)
    fast, slow, rcodes = Rig(policy()), Rig(policy(), is_off=True), set()
    for name in ("x.ab.cd.ads.example", "x.a.bcd.ads.example"):
        wire = question(name).to_wire()
        wire = wire[:10] + b"\0\1" + wire[12:] + pointing
        reply = fast.say(wire)
        assert reply == slow.say(wire)
        rcodes.add(reply[3] & 15)
    assert rcodes == {0, 1}


def test_reply_that_could_be_cut_is_not_made():
    """Beside a long name a long reason is left out: no pieces, then, for a reply in which it stands."""
    made = policy("block ai", answer=BlockAnswer(BlockMode.ADDRESS, "192.0.2.53", None))
    feed = world.listed("f" * 240, "ads.example", part_of_ai=False)
    made = world.make_policy([f"block feed:{'f' * 240}"], feed, answer=BlockAnswer())
    fast, slow = Rig(made), Rig(made, is_off=True)
    for length in (1, 60):
        name = ".".join(["x" * length] * 3 + ["ads.example"])
        query = question(name, use_edns=0, payload=512)
        assert fast.say(query) == slow.say(query)
    assert fast.chain_asked == 2


def test_half_of_the_cost_is_saved():
    """A name of a known spot costs far less than one that passes the chain; by processor time, with room to spare."""
    made = policy()
    numbers = itertools.count()

    def cost(*, is_off: bool) -> float:
        rig = Rig(made, is_off=is_off, access={"rate": 0})
        rounds = [[question(f"x{next(numbers):05}.ads.example").to_wire() for _ in range(600)] for _ in range(5)]
        rig.say(rounds[0][0])
        ready = iter(rounds)
        return least_cost(lambda: [rig.dispatch.datagram(wire, "192.168.1.9") for wire in next(ready)], len(rounds))

    assert cost(is_off=False) < 0.5 * cost(is_off=True)
