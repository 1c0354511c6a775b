import asyncio

import dns.message

from sinkhole.config.schema import AccessSettings, RecordSettings
from sinkhole.policy.groups import EVERYONE
from sinkhole.resolver.hits import Hits
from sinkhole.transport.gate import ClientGate
from sinkhole.transport.packet_cache import Entry
from sinkhole.transport.served import Served
from tests.transport.serving import BLOCKED

WIRE = dns.message.make_response(dns.message.make_query("example.org", "A")).to_wire()


def make_served() -> tuple[Served, Hits, tuple]:
    hits = Hits(RecordSettings())
    state = ClientGate(AccessSettings(), lambda _: EVERYONE).admit("127.0.0.1")
    return Served(hits, lambda: 1_700_000_000.0), hits, (Entry(WIRE, 0.0, 10.0, "example.org", 1, BLOCKED, True), state)


async def test_served_replies_are_counted_soon_without_further_queries():
    served, hits, hit = make_served()
    served.add(*hit)
    served.settle()
    served.add(*hit)
    served.settle()
    assert len(hits) == 0

    async with asyncio.timeout(5):
        while not len(hits):
            await asyncio.sleep(0.01)
    assert [row.count for row in hits.drain(9)] == [2]


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
