import asyncio
import time
from pathlib import Path

import dns.flags
import dns.message
import pytest

from sinkhole.config.schema import ZoneUpstream
from sinkhole.errors import UpstreamError
from sinkhole.protocol.types import Rcode
from sinkhole.upstream import UpstreamBusy, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.ask import MOST_PACKETS, Packets
from sinkhole.upstream.system import LOOK_AGAIN
from tests.fakes import FakeUpstream, Script, reply, silent
from tests.upstream.asking import (
    ADDRESS,
    MakeForwarder,
    addresses,
    fails,
    good,
    question,
    resolve,
    says,
)


class Clock:
    """Monotonic seconds that a test can push on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def truncated(query: bytes) -> Script:
    return [(0, reply(query, "www.example.org. 300 IN A 192.0.2.66", flags="TC"))]


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def formerr(query: bytes) -> bytes:
    return query[:2] + b"\x81\x81" + query[4:10] + b"\0\0" + query[12:-11]


def everything_wrong(query: bytes) -> Script:
    return [(0, formerr(query))] if dns.message.from_wire(query).edns >= 0 else truncated(query)


@pytest.mark.parametrize("strategy", ["ordered", "race"])
async def test_one_query_costs_at_most_twenty_packets(forward: MakeForwarder, strategy: str) -> None:
    """R-C10: NXNSAttack, TsuNAME, DNSBomb; whatever the upstreams do."""
    async with (
        FakeUpstream(everything_wrong) as first,
        FakeUpstream(everything_wrong, on_connection=hang_up) as second,
        FakeUpstream(fails("FORMERR")) as third,
        FakeUpstream(truncated, tcp_handler=truncated) as fourth,
    ):
        ups = (first, second, third, fourth)
        forwarder = forward(*(up.url for up in ups), strategy=strategy, tries=6, timeout=0.3)
        with pytest.raises(UpstreamError):
            await resolve(forwarder)
        asked = sum(b"\3www" in query.lower() for up in ups for query in up.queries)
        # Those that hang up see a connection and no query.
        assert asked + second.connections <= MOST_PACKETS


async def test_one_query_to_a_lone_upstream_costs_at_most_twenty_packets(forward: MakeForwarder) -> None:
    """R-C10: everything that arrives is counted."""
    async with FakeUpstream(everything_wrong, tcp_handler=truncated) as up:
        with pytest.raises(UpstreamError):
            await resolve(forward(up.url, tries=6))
        assert len(up.queries) + up.connections <= 20


@pytest.mark.parametrize("cut", [3, 12, 20, 33, 40, 50, -1])
async def test_cut_answer_is_a_failure_and_never_an_empty_answer(forward: MakeForwarder, cut: int) -> None:
    """R-C09: never NODATA or NXDOMAIN."""
    async with FakeUpstream(lambda q: [(0, good(q)[:cut])]) as up:
        with pytest.raises((UpstreamFailure, UpstreamTimeout)):
            await resolve(forward(up.url, timeout=0.1, tries=2))


async def test_concurrent_answers_go_to_their_questions(forward: MakeForwarder) -> None:
    """R-C05: 150 names with different delays."""

    def handle(query: bytes) -> Script:
        number = int(query[14 : 13 + query[12]])
        return [((number * 7 % 50) / 500, good(query, f"192.0.2.{number}"))]

    async with FakeUpstream(handle) as up:
        forwarder = forward(up.url)
        found = await asyncio.gather(*(resolve(forwarder, f"n{number}.example.org") for number in range(150)))
    assert [addresses(message) for message in found] == [[f"192.0.2.{number}"] for number in range(150)]


async def test_zone_is_asked_at_its_own_upstreams(forward: MakeForwarder) -> None:
    async with (
        FakeUpstream(says("192.0.2.1")) as up,
        FakeUpstream(says("192.0.2.2")) as corp,
        FakeUpstream(says("192.0.2.3")) as lab,
    ):
        zones = (
            ZoneUpstream(zone="Corp.example.org", servers=(corp.url,)),
            ZoneUpstream(zone="lab.corp.example.org", servers=(lab.url,)),
        )
        forwarder = forward(up.url, zones=zones)
        for name, expected in (
            ("www.example.org", "192.0.2.1"),
            ("xcorp.example.org", "192.0.2.1"),
            ("CORP.example.org", "192.0.2.2"),
            ("a.b.corp.example.org", "192.0.2.2"),
            ("www.LAB.corp.example.org", "192.0.2.3"),
        ):
            assert addresses(await resolve(forwarder, name)) == [expected]


async def test_flags_go_out_and_ad_comes_back_only_when_trusted(forward: MakeForwarder) -> None:
    """R-W21: AD of an upstream is a stranger's word (RFC 6840, section 5.8)."""
    async with FakeUpstream(lambda q: [(0, reply(q, flags="AD"))]) as up:
        for trust_ad in (False, True):
            forwarder = forward(up.url, trust_ad=trust_ad)
            message = await forwarder.resolve(question(), do=True, cd=True, client="192.0.2.99")
            assert message.ad is trust_ad
            sent = dns.message.from_wire(up.queries[-1])
            assert bool(sent.flags & dns.flags.AD) is trust_ad
            assert sent.flags & dns.flags.CD
            assert sent.ednsflags & dns.flags.DO


async def test_too_many_waiting_queries_fail_at_once(forward: MakeForwarder) -> None:
    """R-P03: excess is told quickly, without a packet, and passes when the waiting ones are done."""
    async with FakeUpstream(silent) as up:
        forwarder = forward(up.url, max_in_flight_per_zone=20, timeout=1.5, tries=1)
        outcomes = asyncio.gather(
            *(resolve(forwarder, f"n{n}.example.org") for n in range(300)), return_exceptions=True
        )
        await up.wait_for(20)
        started = time.monotonic()
        with pytest.raises(UpstreamBusy):
            await resolve(forwarder)
        assert time.monotonic() - started < 0.5
        found = await outcomes
        assert sum(isinstance(outcome, UpstreamBusy) for outcome in found) == 280
        assert len(up.queries) == 20
        up.handler = says()
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_outage_with_many_waiting_recovers_without_restart(forward: MakeForwarder) -> None:
    """R-C27: 150 clients wait, the upstream pauses and resumes."""
    async with FakeUpstream(says()) as up:
        forwarder = forward(up.url, timeout=0.2, tries=2)
        up.paused = True
        found = await asyncio.gather(
            *(resolve(forwarder, f"n{n}.example.org") for n in range(150)), return_exceptions=True
        )
        assert {type(outcome) for outcome in found} == {UpstreamTimeout}
        up.paused = False
        found = await asyncio.gather(*(resolve(forwarder, f"n{n}.example.org") for n in range(150)))
        assert all(message.rcode == Rcode.NOERROR for message in found)


async def test_system_resolvers_are_used_and_followed(forward: MakeForwarder, tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "resolv.conf"
    forwarder = forward(resolv_conf=path, clock=clock, timeout=0.2)
    with pytest.raises(UpstreamTimeout, match="no upstream is known"):
        await resolve(forwarder)
    # The port cannot be told in this file; a closed one answers at once all the same.
    path.write_text("nameserver 127.0.0.1\n")
    with pytest.raises(UpstreamTimeout, match="no upstream is known"):
        await resolve(forwarder)
    clock.ahead += LOOK_AGAIN
    with pytest.raises((UpstreamFailure, UpstreamTimeout)) as caught:
        await resolve(forwarder)
    assert "no upstream is known" not in str(caught.value)


async def test_closing_twice_is_harmless(forward: MakeForwarder) -> None:
    async with FakeUpstream(truncated, tcp_handler=says()) as up:
        forwarder = forward(up.url)
        await resolve(forwarder)
        await forwarder.close()
        await forwarder.close()


async def test_questions_of_one_query_share_their_packets(forward: MakeForwarder) -> None:
    """R-C10"""
    async with FakeUpstream(says()) as up:
        forwarder, packets = forward(up.url), Packets(2)
        for name in ("a.example.org", "b.example.org"):
            await forwarder.resolve(question(name), do=False, cd=False, client="192.0.2.9", packets=packets)
        with pytest.raises(UpstreamFailure, match="too many messages"):
            await forwarder.resolve(question("c.example.org"), do=False, cd=False, client="192.0.2.9", packets=packets)
        assert len(up.queries) == 2
