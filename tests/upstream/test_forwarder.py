import asyncio
import time
from pathlib import Path

import dns.flags
import dns.message
import pytest

from sinkhole.config.schema import ZoneUpstream
from sinkhole.errors import UpstreamError
from sinkhole.protocol.types import QType, Rcode
from sinkhole.upstream import UpstreamBusy, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.forwarder import MOST_PACKETS
from sinkhole.upstream.server import QUIRK_MEMORY
from sinkhole.upstream.system import LOOK_AGAIN
from tests.fakes import FakeUpstream, Handler, Script, reply, silent
from tests.upstream.asking import (
    ADDRESS,
    MakeForwarder,
    addresses,
    fails,
    frame,
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


def partly_truncated(query: bytes) -> Script:
    wire = good(query, "192.0.2.66")
    return [(0, wire[:2] + b"\x83\x80" + wire[4:-7])]


def lower_case(query: bytes) -> bytes:
    return query[:12] + query[12:].lower()


@pytest.mark.parametrize("handler", [truncated, partly_truncated])
async def test_truncated_answer_is_asked_again_over_tcp(forward: MakeForwarder, handler: Handler) -> None:
    """R-C07: TC=1 (RFC 7766, section 5); its content is never used (RFC 2181, section 9)."""
    async with FakeUpstream(handler, tcp_handler=says()) as up:
        message = await resolve(forward(up.url))
    assert addresses(message) == [ADDRESS]
    assert not message.tc
    assert [seen.transport for seen in up.seen] == ["udp", "tcp"]


async def test_large_answer_comes_whole_over_tcp(forward: MakeForwarder) -> None:
    """R-C07: 60,000 octets."""
    texts = [f'www.example.org. 60 IN TXT "{n:03}{"x" * 240}"' for n in range(230)]
    async with FakeUpstream(truncated, tcp_handler=lambda q: [(0, reply(q, *texts))]) as up:
        message = await resolve(forward(up.url), qtype=QType.TXT)
    assert len(message.answer) == 230


async def test_truncation_over_tcp_is_a_failure(forward: MakeForwarder) -> None:
    """R-C07: TC over TCP ends, and soon."""
    async with FakeUpstream(truncated) as up:
        with pytest.raises(UpstreamFailure, match="truncated") as caught:
            await resolve(forward(up.url))
        assert len(up.queries) <= 6
    assert caught.value.ede == 23


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("broken", [hang_up, mute])
async def test_broken_tcp_after_truncation_ends_in_bounded_time(forward: MakeForwarder, broken: object) -> None:
    """R-C08: number of tries and time are bounded."""
    async with FakeUpstream(truncated, on_connection=broken) as up:  # type: ignore[arg-type]
        started = time.monotonic()
        with pytest.raises(UpstreamError):
            await resolve(forward(up.url, timeout=0.2))
        assert time.monotonic() - started < 2
        assert up.connections <= 3


def formerr(query: bytes) -> bytes:
    return query[:2] + b"\x81\x81" + query[4:10] + b"\0\0" + query[12:-11]


HOSTILE: dict[str, Handler] = {
    "FORMERR without OPT": lambda q: [(0, formerr(q))],
    "FORMERR with OPT": fails("FORMERR"),
    "NOTIMP": fails("NOTIMP"),
    "BADVERS": fails("BADVERS"),
    "header alone": lambda q: [(0, q[:2] + b"\x81\x81" + bytes(8))],
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_upstream_that_cannot_bear_edns_is_asked_without(forward: MakeForwarder, kind: str) -> None:
    """R-C13: RFC 6891, section 7; remembered, and tried again after a while."""
    clock = Clock()

    def handle(query: bytes) -> Script:
        return HOSTILE[kind](query) if dns.message.from_wire(query).edns >= 0 else [(0, good(query))]

    async with FakeUpstream(handle) as up:
        forwarder = forward(up.url, clock=clock)
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert len(up.queries) == 2
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        assert len(up.queries) == 3
        clock.ahead += QUIRK_MEMORY
        await resolve(forwarder)
        assert len(up.queries) == 5


async def test_upstream_without_opt_in_its_answers_works(forward: MakeForwarder) -> None:
    """R-C13: no OPT in the answer."""

    def handle(query: bytes) -> Script:
        answer = dns.message.from_wire(good(query))
        answer.use_edns(-1)
        return [(0, answer.to_wire())]

    async with FakeUpstream(handle) as up:
        assert addresses(await resolve(forward(up.url))) == [ADDRESS]
        assert len(up.queries) == 1


async def test_formerr_with_and_without_edns_is_a_failure_not_remembered(forward: MakeForwarder) -> None:
    async with FakeUpstream(fails("FORMERR")) as up:
        forwarder = forward(up.url)
        with pytest.raises(UpstreamFailure):
            await resolve(forwarder)
        up.handler = says()
        await resolve(forwarder)
        assert dns.message.from_wire(up.queries[-1]).edns == 0


async def test_upstream_that_changes_letter_case_is_asked_over_tcp(forward: MakeForwarder) -> None:
    """R-C01: without the case check nothing is taken over UDP; over TCP it needs none."""
    async with FakeUpstream(
        lambda q: [(0, lower_case(good(q)))], tcp_handler=lambda q: [(0, good(lower_case(q)))]
    ) as up:
        forwarder = forward(up.url)
        assert addresses(await resolve(forwarder)) == [ADDRESS]
        message = await resolve(forwarder)
    assert message.question == question()
    assert [seen.transport for seen in up.seen] == ["udp", "tcp", "tcp"]


async def test_letter_case_may_change_when_it_is_not_randomized(forward: MakeForwarder) -> None:
    async with FakeUpstream(says()) as up:
        await resolve(forward(up.url, randomize_case=False))
    assert b"\3www\7Example\3org\0" in up.queries[0]


def everything_wrong(query: bytes) -> Script:
    return [(0, formerr(query))] if dns.message.from_wire(query).edns >= 0 else truncated(query)


async def close_after_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    size = int.from_bytes(await reader.readexactly(2))
    writer.write(frame(reply(await reader.readexactly(size), rcode="SERVFAIL")))
    await writer.drain()


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
        forwarder = forward(up.url, max_in_flight_per_zone=20, timeout=0.5, tries=1)
        started = time.monotonic()
        outcomes = asyncio.gather(
            *(resolve(forwarder, f"n{n}.example.org") for n in range(300)), return_exceptions=True
        )
        await up.wait_for(20)
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
