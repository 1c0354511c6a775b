import asyncio
import itertools

import dns.message
import pytest

from sinkhole.config.schema import AccessSettings, RecordSettings
from sinkhole.policy.groups import EVERYONE
from sinkhole.protocol.names import name_from_text
from sinkhole.resolver.hits import Hits
from sinkhole.transport.entry import Entry
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.served import _AT_ONCE, _FEW, Served
from tests.transport.serving import BLOCKED

WIRE = dns.message.make_response(dns.message.make_query("example.org", "A")).to_wire()


def make_served() -> tuple[Served, Hits, tuple]:
    hits = Hits(RecordSettings())
    state = ClientGate(AccessSettings(), lambda _: EVERYONE).admit("127.0.0.1")
    return (
        Served(hits, lambda: 1_700_000_000.0),
        hits,
        (Entry(WIRE, 0.0, 10.0, name_from_text("example.org"), 1, BLOCKED, True), state),
    )


@pytest.mark.parametrize("turns", [[1, 1], [3]])
def test_few_replies_are_counted_at_once(turns):
    served, hits, hit = make_served()
    for replies in turns:
        for _ in range(replies):
            served.add(*hit)
        served.settle()
    count = sum(turns)
    assert (served.pending, served.touched, served.total, hit[1].queries) == (0, [], count, count)
    assert [row.count for row in hits.drain(9)] == [count]


def test_reply_that_is_not_recorded_is_no_hit():
    served, hits, (_, state) = make_served()
    served.add(Entry(WIRE, 0.0, 10.0), state)
    served.settle()
    assert (served.total, state.queries, len(hits)) == (1, 1, 0)


async def test_more_replies_are_counted_soon_without_further_queries():
    served, hits, hit = make_served()
    for _ in range(_FEW + 1):
        served.add(*hit)
    served.settle()
    served.add(*hit)
    served.settle()
    assert len(hits) == 0

    async with asyncio.timeout(5):
        while not len(hits):
            await asyncio.sleep(0.01)
    assert [row.count for row in hits.drain(9)] == [_FEW + 2]


async def test_many_are_counted_at_once():
    """R-P04: what waits is bounded."""
    served, hits, hit = make_served()
    for _ in range(20_000):
        served.add(*hit)
    served.settle()

    assert (served.pending, served.touched) == (0, [])
    assert [row.count for row in hits.drain(9)] == [20_000]


def test_nothing_is_counted_when_nothing_was_served():
    served, hits, _ = make_served()
    served.settle()
    served.flush()

    assert len(hits) == 0


def many(hits, count: int) -> list[tuple]:
    state = ClientGate(AccessSettings(), lambda _: EVERYONE).admit("127.0.0.1")
    return [
        (Entry(WIRE, 0.0, 10.0, name_from_text(f"n{n}.example.org"), 1, BLOCKED, True), state) for n in range(count)
    ]


async def test_different_replies_are_counted_a_few_in_each_turn():
    """Or a query that comes meanwhile would wait for all of them."""
    served, hits, _ = make_served()
    for hit in many(hits, 200):
        served.add(*hit)
    served.settle()
    steps = []
    async with asyncio.timeout(5):
        while not steps or steps[-1] < 200:
            await asyncio.sleep(0)
            if len(hits) and (not steps or len(hits) != steps[-1]):
                steps.append(len(hits))
    assert steps[0] == _AT_ONCE
    assert max(after - before for before, after in itertools.pairwise(steps)) == _AT_ONCE


async def test_flush_counts_what_waits_for_its_turn_too():
    """Each policy is counted by itself: what was served under it is told before the next is in force."""
    served, hits, _ = make_served()
    for hit in many(hits, 100):
        served.add(*hit)
    served._begin()
    assert len(hits) == _AT_ONCE
    served.flush()
    assert len(hits) == 100
    await asyncio.sleep(0.01)
    assert [row.count for row in hits.drain(999)] == [1] * 100
