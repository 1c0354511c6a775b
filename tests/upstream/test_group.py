import asyncio
import time

import pytest

from sinkhole.protocol.message import Message, Record
from sinkhole.protocol.types import QType, Rcode
from sinkhole.upstream import Forwarder, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.usable import is_usable
from tests.fakes import FakeUpstream, reply, silent
from tests.upstream.asking import (
    ADDRESS,
    MakeForwarder,
    addresses,
    fails,
    question,
    resolve,
    says,
    soon,
)

ROOT_QUESTION = b"\0\0\2\0\1"


class Clock:
    """Monotonic seconds that a test can push on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def asked(up: FakeUpstream) -> int:
    """Count the queries that are no probes."""
    return sum(query[12:17] != ROOT_QUESTION for query in up.queries)


def probes(up: FakeUpstream) -> int:
    return len(up.queries) - asked(up)


async def test_lost_packet_is_repeated(forward: MakeForwarder) -> None:
    """R-C11: RFC 1035, section 7.2."""
    async with FakeUpstream(silent) as up:
        forwarder = forward(up.url, timeout=0.2)
        task = asyncio.ensure_future(resolve(forwarder))
        await up.wait_for(1)
        up.handler = says()
        assert addresses(await task) == [ADDRESS]
        assert len(up.queries) == 2


async def test_silence_ends_after_all_tries_with_ede_22(forward: MakeForwarder) -> None:
    """R-C11: No Reachable Authority (RFC 8914, section 4.23)."""
    async with FakeUpstream(silent) as first, FakeUpstream(silent) as second:
        forwarder = forward(first.url, second.url, timeout=0.1, tries=3, strategy="ordered")
        with pytest.raises(UpstreamTimeout) as caught:
            await resolve(forwarder)
        assert caught.value.ede == 22
        assert (asked(first), asked(second)) == (2, 1)
    assert "127.0.0.1" not in str(caught.value)


async def test_total_wait_is_bounded_whatever_the_settings_say(forward: MakeForwarder) -> None:
    """R-C11: under ten seconds; here the clock runs ahead."""
    clock = Clock()
    async with FakeUpstream(silent) as up:
        forwarder = forward(up.url, timeout=0.3, tries=6, clock=clock)
        task = asyncio.ensure_future(resolve(forwarder))
        await up.wait_for(1)
        clock.ahead = 8.0
        with pytest.raises(UpstreamTimeout):
            await task
        assert len(up.queries) == 1


@pytest.mark.parametrize("strategy", ["ordered", "fastest", "race"])
@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "NOTAUTH", None])
async def test_other_upstream_is_asked_when_one_fails(forward: MakeForwarder, strategy: str, rcode: str | None) -> None:
    """R-C12: fail-over on SERVFAIL, REFUSED and silence."""
    async with FakeUpstream(fails(rcode) if rcode else silent) as bad, FakeUpstream(says(delay=0.05)) as up:
        forwarder = forward(bad.url, up.url, strategy=strategy, timeout=0.2)
        for _ in range(3):
            assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_servfail_of_all_is_passed_on(forward: MakeForwarder) -> None:
    """R-C12: nobody is asked twice for a SERVFAIL."""
    async with FakeUpstream(fails("SERVFAIL")) as first, FakeUpstream(fails("SERVFAIL")) as second:
        forwarder = forward(first.url, second.url, strategy="ordered")
        assert (await resolve(forwarder)).rcode == Rcode.SERVFAIL
        assert (len(first.queries), len(second.queries)) == (1, 1)


async def test_servfail_counts_more_than_silence(forward: MakeForwarder) -> None:
    async with FakeUpstream(fails("SERVFAIL")) as first, FakeUpstream(silent) as second:
        forwarder = forward(first.url, second.url, strategy="ordered", timeout=0.1)
        assert (await resolve(forwarder)).rcode == Rcode.SERVFAIL


@pytest.mark.parametrize(("rcode", "ede"), [("REFUSED", 22), ("NOTAUTH", 23)])
async def test_refusal_of_all_is_a_failure(forward: MakeForwarder, rcode: str, ede: int) -> None:
    """R-C11: a client must not think that we refuse it."""
    async with FakeUpstream(fails(rcode)) as up:
        with pytest.raises((UpstreamTimeout, UpstreamFailure)) as caught:
            await resolve(forward(up.url))
        assert caught.value.ede == ede


async def test_unreachable_upstream_is_a_network_error(forward: MakeForwarder) -> None:
    """R-C11: EDE 23, Network Error."""
    async with FakeUpstream(silent) as up:
        pass
    with pytest.raises(UpstreamFailure) as caught:
        await resolve(forward(up.url))
    assert caught.value.ede == 23


async def test_dead_upstream_is_avoided_probed_and_used_again(forward: MakeForwarder) -> None:
    """R-C12: after three silences only probes go to it, until one is answered."""
    clock = Clock()
    async with FakeUpstream(silent) as dead, FakeUpstream(says("192.0.2.2")) as up:
        forwarder = forward(dead.url, up.url, strategy="ordered", timeout=0.1, clock=clock)
        for _ in range(3):
            await resolve(forwarder)
        assert asked(dead) == 3
        for _ in range(10):
            assert addresses(await resolve(forwarder)) == ["192.0.2.2"]
        assert asked(dead) == 3
        clock.ahead += 1
        await resolve(forwarder)
        await dead.wait_for(4)
        assert probes(dead) == 1
        dead.handler = says("192.0.2.1")
        clock.ahead += 30
        await resolve(forwarder)
        async with asyncio.timeout(3):
            while addresses(await resolve(forwarder)) != ["192.0.2.1"]:
                pass


async def test_upstreams_that_are_all_down_are_asked_all_the_same(forward: MakeForwarder) -> None:
    """R-C27: recovery without restart."""
    async with FakeUpstream(silent) as first, FakeUpstream(silent) as second:
        forwarder = forward(first.url, second.url, timeout=0.05, tries=2)
        for _ in range(4):
            with pytest.raises(UpstreamTimeout):
                await resolve(forwarder)
        first.handler = second.handler = says()
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_fastest_upstream_gets_the_queries(forward: MakeForwarder) -> None:
    async with FakeUpstream(says(delay=0.15)) as slow, FakeUpstream(says(delay=0.01)) as quick:
        forwarder = forward(slow.url, quick.url, strategy="fastest")
        await resolve(forwarder)
        before = asked(slow)
        for _ in range(5):
            await resolve(forwarder)
        assert asked(slow) == before
        assert asked(quick) == 5
        assert probes(quick) == 1


async def test_slower_upstream_is_measured_again_and_takes_over(forward: MakeForwarder) -> None:
    clock = Clock()
    async with (
        FakeUpstream(says("192.0.2.1", delay=0.01)) as first,
        FakeUpstream(says("192.0.2.2", delay=0.1)) as second,
    ):
        forwarder = forward(first.url, second.url, strategy="fastest", clock=clock)
        assert addresses(await resolve(forwarder)) == ["192.0.2.1"]
        await second.wait_for(1)
        await asyncio.gather(*forwarder_probes(forwarder))
        first.handler = silent
        second.handler = says("192.0.2.2", delay=0.0)
        clock.ahead += 61
        await resolve(forwarder)
        assert addresses(await resolve(forwarder)) == ["192.0.2.2"]


def forwarder_probes(forwarder: Forwarder) -> tuple[asyncio.Task[None], ...]:
    return tuple(task for group in forwarder._groups.values() for task in group._probes)


async def test_ordered_prefers_the_first_and_probes_nobody(forward: MakeForwarder) -> None:
    async with FakeUpstream(says("192.0.2.1", delay=0.05)) as first, FakeUpstream(says("192.0.2.2")) as second:
        forwarder = forward(first.url, second.url, strategy="ordered")
        for _ in range(5):
            assert addresses(await resolve(forwarder)) == ["192.0.2.1"]
        assert second.queries == []


async def test_race_asks_two_at_once_and_takes_the_first_answer(forward: MakeForwarder) -> None:
    async with (
        FakeUpstream(says("192.0.2.1", delay=0.5)) as slow,
        FakeUpstream(says("192.0.2.2", delay=0.05)) as quick,
        FakeUpstream(says("192.0.2.3")) as third,
    ):
        forwarder = forward(slow.url, quick.url, third.url, strategy="race")
        started = time.monotonic()
        assert addresses(await resolve(forwarder)) == ["192.0.2.2"]
        assert time.monotonic() - started < 0.4
        assert (asked(slow), asked(quick), asked(third)) == (1, 1, 0)


async def test_race_lost_by_all_goes_on_with_the_next(forward: MakeForwarder) -> None:
    async with (
        FakeUpstream(fails("SERVFAIL")) as first,
        FakeUpstream(silent) as second,
        FakeUpstream(says()) as third,
    ):
        forwarder = forward(first.url, second.url, third.url, strategy="race", timeout=0.1)
        assert addresses(await resolve(forwarder)) == [ADDRESS]


async def test_one_upstream_alone_is_never_probed(forward: MakeForwarder) -> None:
    async with FakeUpstream(says()) as up:
        forwarder = forward(up.url)
        for _ in range(3):
            await resolve(forwarder)
        assert len(up.queries) == 3


async def test_upstream_with_too_many_waiting_is_passed_by(forward: MakeForwarder) -> None:
    """R-P03: no upstream may hold more than half of the queries that may wait."""
    async with FakeUpstream(silent) as slow, FakeUpstream(says()) as up:
        forwarder = forward(slow.url, up.url, strategy="ordered", max_in_flight=10)
        waiting = [asyncio.ensure_future(resolve(forwarder, f"n{n}.example.org")) for n in range(5)]
        await slow.wait_for(5)
        started = time.monotonic()
        assert addresses(await resolve(forwarder, "www.example.net")) == [ADDRESS]
        assert time.monotonic() - started < 0.5
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_close_stops_probes(forward: MakeForwarder) -> None:
    async with FakeUpstream(silent) as first, FakeUpstream(says()) as second:
        forwarder = forward(second.url, first.url, timeout=5)
        await resolve(forwarder)
        await first.wait_for(1)
        await forwarder.close()
        await soon(lambda: not forwarder_probes(forwarder))


def message(rcode: int = 0, ra: bool = False, aa: bool = False, authority: tuple[int, ...] = ()) -> Message:
    records = tuple(Record(b"\0", rtype, 1, 60, b"") for rtype in authority)
    return Message(1, 0, rcode, True, aa, False, True, ra, False, False, question(), authority=records)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (message(ra=True), True),
        (message(aa=True), True),
        (message(), True),
        (message(Rcode.NXDOMAIN), True),
        (message(Rcode.YXDOMAIN), True),
        (message(Rcode.SERVFAIL), False),
        (message(authority=(QType.NS,)), False),
        (message(ra=True, authority=(QType.NS,)), True),
        (message(authority=(QType.SOA, QType.NS)), True),
    ],
)
def test_referral_is_no_answer(found: Message, expected: bool) -> None:
    assert is_usable(found) is expected


async def test_referral_leads_to_the_other_upstream(forward: MakeForwarder) -> None:
    def refer(query: bytes) -> list[tuple[float, bytes]]:
        wire = bytearray(reply(query, authority=["example.org. 60 IN NS ns.example.org."]))
        wire[3] &= 0x7F
        return [(0, bytes(wire))]

    async with FakeUpstream(refer) as lame, FakeUpstream(says()) as up:
        assert addresses(await resolve(forward(lame.url, up.url, strategy="ordered"))) == [ADDRESS]
