import asyncio
import time

import dns.message
import pytest

from sinkhole.errors import UpstreamError
from sinkhole.protocol.types import QType
from sinkhole.upstream import UpstreamFailure
from sinkhole.upstream.server import QUIRK_MEMORY
from tests.fakes import FakeUpstream, Handler, Script, reply
from tests.upstream.asking import ADDRESS, MakeForwarder, addresses, fails, good, question, resolve, says


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
