import asyncio
import contextlib
import itertools
import random
import socket
import time
from collections.abc import Callable

import pytest

from sinkhole.errors import UpstreamError
from sinkhole.protocol.message import Message
from sinkhole.upstream.ask import Ask
from sinkhole.upstream.burst import GRACE
from sinkhole.upstream.failure import AnswerTruncated, CaseChanged, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.udp import Datagrams
from tests.fakes import FakeUpstream, Script, reply, silent
from tests.upstream.asking import ADDRESS, NAME, addresses, asking, budget, good, says

SPOOFED = "192.0.2.66"


async def ask(up: FakeUpstream, timeout: float = 2.0, randomize_case: bool = True, edns: bool = True) -> Message:
    question = asking() if edns else type(asking())(asking().question, edns=False)
    return await ask_at(question, up.host, up.port, timeout=timeout, randomize_case=randomize_case)


async def ask_at(question: Ask, host: str, port: int, *, timeout: float, randomize_case: bool) -> Message:
    with contextlib.closing(Datagrams(port, randomize_case=randomize_case)) as datagrams:
        return await datagrams.begin(question, host, budget(), timeout=timeout)


def flipped_case(wire: bytes) -> bytes:
    return wire[:12] + wire[12:].replace(b"w", b"@").replace(b"W", b"w").replace(b"@", b"W")


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "id": lambda q: bytes([q[0] ^ 1]) + good(q, SPOOFED)[1:],
    "name": lambda q: good(q, SPOOFED)[:13] + b"x" + good(q, SPOOFED)[14:],
    "letter case": lambda q: flipped_case(good(q, SPOOFED)),
    "type": lambda q: good(q, SPOOFED).replace(b"\0\1\0\1", b"\0\x1c\0\1", 1),
    "class": lambda q: good(q, SPOOFED).replace(b"\0\1\0\1", b"\0\1\0\3", 1),
    "QR": lambda q: good(q, SPOOFED)[:2] + b"\1" + good(q, SPOOFED)[3:],
    "opcode": lambda q: good(q, SPOOFED)[:2] + b"\xa1" + good(q, SPOOFED)[3:],
    "two questions": lambda q: good(q, SPOOFED)[:4] + b"\0\2" + good(q, SPOOFED)[6:],
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_wrong_answer_is_dropped_and_the_wait_goes_on(forgery: str) -> None:
    """R-C01: spoof attempts do not end the wait (RFC 5452, section 9.1)."""
    async with FakeUpstream(lambda q: [(0, FORGERIES[forgery](q))] * 20 + [(0.25, good(q))]) as up:
        message = await ask(up)
    assert addresses(message) == [ADDRESS]
    assert len(up.queries) == 1


async def test_answer_from_another_port_is_not_heard() -> None:
    """R-C01: the socket is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))

        def handle(query: bytes) -> Script:
            elsewhere.sendto(good(query, SPOOFED), up.seen[-1].peer)
            return [(0.25, good(query))]

        async with FakeUpstream(handle) as up:
            assert addresses(await ask(up)) == [ADDRESS]


JUNK: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "one octet": lambda q: q[:1],
    "header": lambda q: good(q)[:12],
    "header that says FORMERR": lambda q: q[:2] + b"\x81\x81" + bytes(8),
    "cut record": lambda q: good(q)[:-1],
    "trailing octets": lambda q: good(q) + b"x",
    "noise": lambda q: q[:2] + b"\x81\x80" + b"\xff" * 200,
}


@pytest.mark.parametrize("junk", JUNK)
async def test_one_broken_packet_does_not_end_the_wait(junk: str) -> None:
    """R-C02: junk first, the good answer later (TuDoor)."""
    async with FakeUpstream(lambda q: [(0, JUNK[junk](q)), (0.25, good(q))]) as up:
        assert addresses(await ask(up)) == [ADDRESS]


async def test_ports_and_ids_are_unpredictable() -> None:
    """R-C03: a fresh socket and a random id for every query (RFC 5452, section 9.2)."""
    async with FakeUpstream(says()) as up:
        for _ in range(40):
            await ask(up)
    ports = [seen.peer[1] for seen in up.seen]
    ids = [int.from_bytes(query[:2]) for query in up.queries]
    assert len(set(ports)) >= 38
    assert len(set(ids)) >= 38
    for numbers in (ports, ids):
        steps = {second - first for first, second in itertools.pairwise(numbers)}
        assert len(steps) >= 35
    assert len({query[12:] for query in up.queries}) > 35


async def test_letter_case_is_left_alone_when_told_so() -> None:
    async with FakeUpstream(lambda q: [(0, flipped_case(good(q))), (0.1, good(q))]) as up:
        message = await ask(up, randomize_case=False)
    assert b"\3www\7Example\3org\0" in up.queries[0]
    assert addresses(message) == [ADDRESS]


async def test_answer_comes_back_in_the_letter_case_of_the_client() -> None:
    async with FakeUpstream(says()) as up:
        message = await ask(up)
    assert message.question == asking().question
    assert [record.owner for record in message.answer] == [asking().question.name]


@pytest.mark.parametrize(
    ("handler", "failure", "longest"),
    [
        (silent, UpstreamTimeout, None),
        (lambda q: [(0, reply(q, f"{NAME}. 300 IN A {SPOOFED}", flags="TC"))], AnswerTruncated, 0.5),
        (lambda q: [(0, good(q)[:2] + b"\x83\x80" + good(q)[4:-3])], AnswerTruncated, 0.5),
        (lambda q: [(0, flipped_case(good(q)))], CaseChanged, GRACE + 0.3),
        (lambda q: [(0, q[:2] + b"\x81\x81" + bytes(8))], EdnsRefused, GRACE + 0.3),
        (lambda q: [(0, good(q)[:-1])] * 3, UpstreamFailure, GRACE + 0.3),
    ],
    ids=["silence", "TC", "partial TC", "letter case", "bare FORMERR", "garbage"],
)
async def test_failure_is_told_apart(
    handler: Callable[[bytes], Script], failure: type[UpstreamError], longest: float | None
) -> None:
    timeout = 0.2 if longest is None else 3.0
    async with FakeUpstream(handler) as up:
        started = time.monotonic()
        with pytest.raises(failure):
            await ask(up, timeout=timeout)
    assert time.monotonic() - started < (longest or 1.0)


async def test_near_miss_does_not_lengthen_the_wait() -> None:
    async with FakeUpstream(lambda q: [(0, good(q)[:-1])]) as up:
        started = time.monotonic()
        with pytest.raises(UpstreamFailure):
            await ask(up, timeout=0.2)
    assert time.monotonic() - started < GRACE


async def test_bare_error_to_a_query_without_edns_is_ignored() -> None:
    async with FakeUpstream(lambda q: [(0, q[:2] + b"\x81\x81" + bytes(8)), (0.1, good(q))]) as up:
        assert addresses(await ask(up, edns=False)) == [ADDRESS]


async def test_closed_port_fails_at_once() -> None:
    async with FakeUpstream(silent) as up:
        pass
    started = time.monotonic()
    with pytest.raises(UpstreamFailure, match="network"):
        await ask(up)
    assert time.monotonic() - started < 1


async def test_impossible_address_fails_at_once() -> None:
    with pytest.raises(UpstreamFailure, match="network"):
        await ask_at(asking(), "255.255.255.255", 53, timeout=2, randomize_case=True)


async def test_mutated_answers_give_a_message_or_a_documented_error() -> None:
    """R-C09: 150 mutated answers."""
    rng = random.Random(7)

    def mutate(query: bytes) -> Script:
        wire = bytearray(good(query))
        for _ in range(rng.randint(1, 6)):
            wire[rng.randrange(len(query) - 11, len(wire))] = rng.randrange(256)
        return [(0, bytes(wire[: rng.choice((len(wire), rng.randrange(len(wire))))]))]

    async with FakeUpstream(mutate) as up:
        outcomes = await asyncio.gather(*(ask(up, timeout=0.8) for _ in range(150)), return_exceptions=True)
    assert all(isinstance(outcome, Message | UpstreamError) for outcome in outcomes)


async def test_flood_at_one_query_does_not_stop_another() -> None:
    """R-C01: what is drained in one go is bounded."""
    async with (
        FakeUpstream(lambda q: [(0, FORGERIES["id"](q))] * 200 + [(0.1, good(q))]) as flooded,
        FakeUpstream(says()) as calm,
    ):
        first, second = await asyncio.gather(ask(flooded), ask(calm))
    assert addresses(first) == addresses(second) == [ADDRESS]


async def test_query_that_is_given_up_leaves_nothing_behind() -> None:
    async with FakeUpstream(silent) as up:
        task = asyncio.ensure_future(ask(up))
        await up.wait_for(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
