import asyncio
import gc
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from sinkhole.errors import UpstreamError
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.framing import FrameReader
from sinkhole.protocol.message import Message, read_message
from sinkhole.upstream.connection import Connection
from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.exchange import FramedExchange
from sinkhole.upstream.failure import ConnectionEnded, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.stream import StreamClient
from tests.fakes import FakeUpstream, Script, read_frame, reply, silent
from tests.upstream.asking import ADDRESS, addresses, asking, budget, frame, good, says, soon

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
MakeClient = Callable[..., StreamClient]


@pytest.fixture
async def client_of() -> AsyncIterator[MakeClient]:
    made: list[StreamClient] = []

    def make(up: FakeUpstream, **settings: float) -> StreamClient:
        async def locate() -> str:
            return up.host

        made.append(StreamClient(locate, up.port, **settings))
        return made[-1]

    yield make
    for client in made:
        await client.close()


async def test_one_connection_carries_many_queries_out_of_order(client_of: MakeClient) -> None:
    """R-C24: pipelined, matched by id (RFC 7766, section 6.2.1.1)."""
    delays = iter([0.3, 0.0, 0.2, 0.1] * 10)
    async with FakeUpstream(lambda q: [(next(delays), good(q, f"192.0.2.{q[13]}"))]) as up:
        client = client_of(up)
        names = [f"{chr(97 + n % 26)}.example.org" for n in range(40)]
        found = await asyncio.gather(*(client.ask(asking(name), budget(), timeout=2) for name in names))
        assert up.connections == 1
    assert [addresses(message) for message in found] == [[f"192.0.2.{ord(name[0])}"] for name in names]


async def test_connection_is_reused_for_later_queries(client_of: MakeClient) -> None:
    """R-C24: 30 queries, one connection (RFC 7858, section 3.4)."""
    async with FakeUpstream(says()) as up:
        client = client_of(up)
        for _ in range(30):
            await client.ask(asking(), budget(), timeout=2)
        assert up.connections == 1


def put(client: StreamClient, name: str, timeout: float = 2.0) -> Flight | None:
    """Put in a query; return its flight, or None where there is no connection for it."""
    ask = asking(name)
    flight = Flight(ask.question.name, True, 12 + len(ask.question.name) + 4)
    return flight if client.put(flight, *ask.frame(), timeout) else None


async def landed(flight: Flight) -> Message | AddressSet | UpstreamError | None:
    await soon(lambda: flight.outcome is not None)
    return flight.outcome


async def test_query_is_put_in_where_a_connection_has_answered(client_of: MakeClient) -> None:
    async with FakeUpstream(says()) as up:
        client = client_of(up)
        assert put(client, "one.example.org") is None
        await client.ask(asking(), budget(), timeout=2)
        flights = [put(client, f"n{number}.example.org") for number in range(100)]
        for flight in flights:
            assert flight is not None
            found = await landed(flight)
            assert isinstance(found, AddressSet)
            assert addresses(read_message(found.wire)) == [ADDRESS]
        assert up.connections == 1


async def test_queries_of_one_turn_leave_in_one_write(client_of: MakeClient) -> None:
    pieces: list[bytes] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(frame(good(await read_frame(reader))))
        pieces.append(await reader.read(65536))

    async with FakeUpstream(silent, on_connection=serve) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        flights = [put(client, f"n{number}.example.org") for number in range(20)]
        outcomes = [await landed(flight) for flight in flights if flight is not None]
    assert [type(outcome) for outcome in outcomes] == [ConnectionEnded] * 20
    [piece] = pieces
    assert len(FrameReader().feed(piece)) == 20


async def test_query_that_was_put_in_and_whose_connection_ended_is_asked_again(client_of: MakeClient) -> None:
    async with FakeUpstream(silent, on_connection=answer_one_and_close) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        flight = put(client, "two.example.org")
        if flight is not None:  # else the end of the connection was seen already
            outcome = await landed(flight)
            assert isinstance(outcome, ConnectionEnded)
            message = await client.finish(asking("two.example.org"), budget(), outcome, timeout=2)
            assert addresses(message) == [ADDRESS]
            assert up.connections == 2


async def test_what_was_put_in_and_got_no_answer_in_time_is_not_asked_again(client_of: MakeClient) -> None:
    answers = iter([True])

    async with FakeUpstream(lambda q: [(0, good(q))] if next(answers, False) else []) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        flight = put(client, "two.example.org", timeout=0.05)
        assert flight is not None
        outcome = await landed(flight)
        assert isinstance(outcome, UpstreamTimeout)
        with pytest.raises(UpstreamTimeout):
            await client.finish(asking("two.example.org"), budget(), outcome, timeout=2)
        assert put(client, "three.example.org") is None  # nobody had an answer: that connection is given up
        assert len(up.seen) == 2


async def test_query_whose_connection_ended_late_has_only_the_rest_of_its_time(client_of: MakeClient) -> None:
    connections = itertools.count()

    async def serve(reader: Reader, writer: Writer) -> None:
        if next(connections):
            await reader.read()  # in silence
            return
        writer.write(frame(good(await read_frame(reader))))
        await read_frame(reader)
        await asyncio.sleep(0.3)

    async with FakeUpstream(silent, on_connection=serve) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        began = time.monotonic()
        flight = put(client, "two.example.org", timeout=0.5)
        assert flight is not None
        outcome = await landed(flight)
        assert isinstance(outcome, ConnectionEnded)
        with pytest.raises(UpstreamTimeout):
            await client.finish(asking("two.example.org"), budget(), outcome, timeout=0.5)
        assert 0.45 < time.monotonic() - began < 0.7


async def test_connection_that_is_closed_is_no_circle(client_of: MakeClient) -> None:
    """What is collected now and then only would pile up where an upstream closes after each answer."""
    async with FakeUpstream(silent, on_connection=answer_one_and_close) as up:
        client = client_of(up)
        gc.collect()
        gc.disable()
        try:
            for number in range(20):
                await client.ask(asking(f"n{number}.example.org"), budget(), timeout=2)
                await asyncio.sleep(0.01)
            assert sum(isinstance(thing, Connection) for thing in gc.get_objects()) < 5
        finally:
            gc.enable()


async def test_failure_of_one_who_waits_is_nobody_elses(client_of: MakeClient) -> None:
    async with FakeUpstream(says()) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        flights = [put(client, f"n{number}.example.org") for number in range(3)]
        assert flights[0] is not None
        flights[0].wake = lambda _: 1 // 0  # type: ignore[assignment,return-value]
        for flight in flights[1:]:
            assert flight is not None
            assert isinstance(await landed(flight), AddressSet)


async def answer_one_and_close(reader: Reader, writer: Writer) -> None:
    writer.write(frame(good(await read_frame(reader))))
    await writer.drain()


async def test_server_that_closes_after_each_answer_serves_all(client_of: MakeClient) -> None:
    """R-C24: reconnects after a close, one query after the other and many at once."""
    async with FakeUpstream(silent, on_connection=answer_one_and_close) as up:
        client = client_of(up)
        for _ in range(10):
            assert addresses(await client.ask(asking(), budget(), timeout=2)) == [ADDRESS]
        found = await asyncio.gather(*(client.ask(asking(), budget(), timeout=2) for _ in range(10)))
    assert [addresses(message) for message in found] == [[ADDRESS]] * 10


async def test_queries_that_need_connections_of_their_own_wait_for_each_other(client_of: MakeClient) -> None:
    is_open, most = 0, 0

    async def answer_late_and_close(reader: Reader, writer: Writer) -> None:
        nonlocal is_open, most
        is_open += 1
        most = max(most, is_open)
        query = await read_frame(reader)
        await asyncio.sleep(0.02)
        writer.write(frame(good(query)))
        await writer.drain()
        is_open -= 1

    async with FakeUpstream(silent, on_connection=answer_late_and_close) as up:
        client = client_of(up)
        found = await asyncio.gather(*(client.ask(asking(), budget(), timeout=10) for _ in range(200)))
    assert [addresses(message) for message in found] == [[ADDRESS]] * 200
    assert 10 < most <= 50


async def test_wait_for_a_connection_of_its_own_ends_in_time(client_of: MakeClient) -> None:
    """R-C11: bounded time; those before it hold all places for longer."""
    connections = 0

    async def answer_twice(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        query = await read_frame(reader)
        if connections > 2:
            await reader.read()
        writer.write(frame(good(query)))
        await writer.drain()

    async with FakeUpstream(silent, on_connection=answer_twice) as up:
        client = client_of(up)
        began = time.monotonic()
        patient = [asyncio.ensure_future(client.ask(asking(), budget(seconds=30), timeout=30)) for _ in range(70)]
        others = [asyncio.ensure_future(client.ask(asking(), budget(), timeout=1)) for _ in range(30)]
        outcomes = await asyncio.gather(*others, return_exceptions=True)
        assert time.monotonic() - began < 5
        for ask in patient:
            ask.cancel()
        await asyncio.gather(*patient, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {UpstreamTimeout}
    assert connections <= 2 + 50


async def test_no_connection_is_left_open_where_a_query_may_cost_no_more(client_of: MakeClient) -> None:
    async with FakeUpstream(silent, on_connection=answer_one_and_close) as up:
        client = client_of(up)
        asks = [client.ask(asking(), budget(packets=2), timeout=5) for _ in range(100)]
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
        assert up.connections == 2
    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(Message), kinds.count(UpstreamFailure)) == (2, 98)


class Stuck(asyncio.Transport):
    """Takes octets that nobody reads."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.unsent = 0
        self._protocol = protocol
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unsent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        self._is_closing = True
        self._protocol.connection_lost(None)


async def test_peer_that_reads_nothing_is_done_without() -> None:
    connection = Connection()
    transport = Stuck(connection)
    connection.connection_made(transport)
    asks: list[asyncio.Future[Message]] = []
    while connection.is_usable:
        assert transport.unsent <= 1_000_000
        asks += [asyncio.ensure_future(connection.ask(asking(), 60)) for _ in range(1000)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert transport.unsent < 1_100_000
    outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ConnectionEnded}


async def test_thousands_that_wait_are_looked_at_less_often() -> None:
    loop = asyncio.get_running_loop()
    exchange = FramedExchange(loop, Deadlines(), lambda _: None, lambda: None)
    now = loop.time()  # before they enter, which may take a busy machine longer than they wait
    for number in range(10_000):
        flight = Flight(b"\3www\7example\0", edns=True)
        exchange.enter(flight, number.to_bytes(2), b"", 0.05)
    assert exchange.expire(now) >= now + 0.2
    assert len(exchange.flights) == 10_000
    exchange.fail()


async def test_idle_connection_closed_by_the_server_is_replaced(client_of: MakeClient) -> None:
    async with FakeUpstream(says()) as up:
        client = client_of(up)
        await client.ask(asking(), budget(), timeout=2)
        port = up.port
    async with FakeUpstream(says(), port=port) as up:
        assert addresses(await client.ask(asking(), budget(), timeout=2)) == [ADDRESS]


async def test_idle_connection_is_closed_by_us(client_of: MakeClient) -> None:
    ended = asyncio.Event()

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(frame(good(await read_frame(reader))))
        await reader.read()
        ended.set()

    async with FakeUpstream(silent, on_connection=serve) as up:
        client = client_of(up, idle=0.05)
        await client.ask(asking(), budget(), timeout=2)
        async with asyncio.timeout(2):
            await ended.wait()


async def reset(reader: Reader, writer: Writer) -> None:
    await read_frame(reader)
    writer.transport.abort()


async def close(reader: Reader, writer: Writer) -> None:
    await read_frame(reader)


async def close_unread(reader: Reader, writer: Writer) -> None:
    writer.transport.abort()


async def short(reader: Reader, writer: Writer) -> None:
    writer.write(frame(good(await read_frame(reader)))[:-4])
    await writer.drain()


async def empty_frame(reader: Reader, writer: Writer) -> None:
    await read_frame(reader)
    writer.write(b"\0\0")
    await reader.read()


async def garbage(reader: Reader, writer: Writer) -> None:
    query = await read_frame(reader)
    writer.write(frame(good(query)[:-1]))
    await reader.read()


async def truncated(reader: Reader, writer: Writer) -> None:
    query = await read_frame(reader)
    writer.write(frame(reply(query, flags="TC")))
    await reader.read()


async def mute(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def drip_forever(reader: Reader, writer: Writer) -> None:
    for octet in frame(good(await read_frame(reader)))[:-4]:
        writer.write(bytes([octet]))
        await asyncio.sleep(0.005)
    await reader.read()


@pytest.mark.parametrize(
    ("broken", "failure"),
    [
        (reset, UpstreamFailure),
        (close, UpstreamFailure),
        (close_unread, UpstreamFailure),
        (short, UpstreamFailure),
        (empty_frame, UpstreamFailure),
        (garbage, UpstreamFailure),
        (truncated, UpstreamFailure),
        (mute, UpstreamTimeout),
        (drip_forever, UpstreamTimeout),
    ],
    ids=lambda value: value.__name__,
)
async def test_broken_stream_ends_in_bounded_time_and_tries(
    client_of: MakeClient, broken: Callable[[Reader, Writer], Awaitable[None]], failure: type[UpstreamError]
) -> None:
    """R-C08, R-C09: reset, close, short, silent, dripping, garbage; R-C07: TC over TCP."""
    async with FakeUpstream(silent, on_connection=broken) as up:
        started = time.monotonic()
        with pytest.raises(failure):
            await client_of(up).ask(asking(), budget(), timeout=0.5)
        assert time.monotonic() - started < 1
        assert up.connections <= 3


async def test_answer_one_octet_at_a_time_is_understood(client_of: MakeClient) -> None:
    """R-C08: any segmentation."""

    async def drip(reader: Reader, writer: Writer) -> None:
        for octet in frame(good(await read_frame(reader))):
            writer.write(bytes([octet]))
            await writer.drain()
        await reader.read()

    async with FakeUpstream(silent, on_connection=drip) as up:
        assert addresses(await client_of(up).ask(asking(), budget(), timeout=2)) == [ADDRESS]


async def test_answer_to_another_question_is_dropped_and_the_wait_goes_on(client_of: MakeClient) -> None:
    """R-C01: a stream is checked as a datagram is."""

    def handle(query: bytes) -> Script:
        other = good(query)[:13] + b"x" + good(query)[14:]
        unknown = bytes([query[0] ^ 1]) + good(query)[1:]
        return [(0, other), (0, unknown), (0, b"x"), (0.1, good(query)), (0.1, good(query))]

    async with FakeUpstream(handle) as up:
        client = client_of(up)
        for _ in range(3):
            assert addresses(await client.ask(asking(), budget(), timeout=2)) == [ADDRESS]


async def test_bare_error_tells_of_edns(client_of: MakeClient) -> None:
    async with FakeUpstream(lambda q: [(0, q[:2] + b"\x81\x81" + bytes(8))]) as up:
        with pytest.raises(EdnsRefused):
            await client_of(up).ask(asking(), budget(), timeout=2)


async def test_refused_connection_fails_at_once(client_of: MakeClient) -> None:
    async with FakeUpstream(silent) as up:
        client = client_of(up)
    with pytest.raises(UpstreamFailure, match="no connection"):
        await client.ask(asking(), budget(), timeout=2)


async def test_silent_connection_is_not_used_again(client_of: MakeClient) -> None:
    async with FakeUpstream(silent) as up:
        client = client_of(up)
        for _ in range(2):
            with pytest.raises(UpstreamTimeout):
                await client.ask(asking(), budget(), timeout=0.1)
        await soon(lambda: up.connections == 2)


async def test_slow_answer_does_not_cost_a_lively_connection(client_of: MakeClient) -> None:
    async with FakeUpstream(lambda q: None if q[13:14] == b"s" else [(0.05, good(q))]) as up:
        client = client_of(up)
        slow = asyncio.ensure_future(client.ask(asking("s.example.org"), budget(), timeout=0.3))
        await up.wait_for(1)
        await client.ask(asking("a.example.org"), budget(), timeout=2)
        with pytest.raises(UpstreamTimeout):
            await slow
        await client.ask(asking("b.example.org"), budget(), timeout=2)
        assert up.connections == 1


async def test_one_cancelled_query_leaves_the_connection_to_the_others(client_of: MakeClient) -> None:
    async with FakeUpstream(says(delay=0.1)) as up:
        client = client_of(up)
        first, second = (asyncio.ensure_future(client.ask(asking(), budget(), timeout=2)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert addresses(await second) == [ADDRESS]
        assert up.connections == 1
        assert first.cancelled()


async def test_no_address_in_time_is_a_timeout() -> None:
    async def locate() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    client = StreamClient(locate, 53)
    with pytest.raises(UpstreamTimeout, match="no connection in time"):
        await client.ask(asking(), budget(), timeout=0.1)
    waiting = asyncio.ensure_future(client.ask(asking(), budget(), timeout=2))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_closed_connection_takes_no_query() -> None:
    async with FakeUpstream(says()) as up:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, up.host, up.port)
        connection.abort()
        assert not connection.is_usable
        with pytest.raises(ConnectionEnded):
            await connection.ask(asking(), 1)
        await connection.closed.wait()


async def test_id_in_use_is_not_given_again() -> None:
    """R-C03: ids of queries in flight differ."""
    async with FakeUpstream(silent) as up:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, up.host, up.port)
        asks = [asyncio.ensure_future(connection.ask(asking(), 5)) for _ in range(1500)]
        await up.wait_for(1500)
        assert len({query[:2] for query in up.queries}) == 1500
        connection.abort()
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {ConnectionEnded}


async def test_bare_error_to_a_query_without_edns_is_ignored(client_of: MakeClient) -> None:
    plain = replace(asking(), edns=False)
    async with FakeUpstream(lambda q: [(0, q[:2] + b"\x81\x81" + bytes(8)), (0.1, good(q))]) as up:
        assert addresses(await client_of(up).ask(plain, budget(), timeout=2)) == [ADDRESS]


async def test_loss_of_the_connection_is_told_to_all_who_wait(client_of: MakeClient) -> None:
    """R-C08: two queries wait, the connection is reset."""
    release = asyncio.Event()

    async def serve(reader: Reader, writer: Writer) -> None:
        await release.wait()
        writer.transport.abort()

    async with FakeUpstream(silent, on_connection=serve) as up:
        client = client_of(up)
        asks = [asyncio.ensure_future(client.ask(asking(), budget(), timeout=2)) for _ in range(2)]
        await soon(lambda: up.connections == 1)
        release.set()
        outcomes = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UpstreamFailure] * 2
