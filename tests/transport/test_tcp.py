import asyncio
import contextlib
import resource
import socket
import struct

import dns.edns
import dns.message
import pytest

from sinkhole.config.schema import TransportSettings
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport.connection import is_other_protocol
from sinkhole.transport.connections import Connections
from tests.transport.serving import (
    LONG,
    Counting,
    Serving,
    framed,
    question,
    read_end,
    read_framed,
    text,
)


def named(number: int) -> bytes:
    """A query with its number as id and first label."""
    query = question(f"n{number}.example.org")
    query.id = number
    return query.to_wire()


def padded(size: int) -> bytes:
    """A query that is long because of its padding (RFC 7830)."""
    return question(use_edns=0, options=[dns.edns.GenericOption(12, bytes(size))]).to_wire(max_size=65535)


class Slow(Counting):
    """Answers names that begin with `slow` when the test opens the gate."""

    def __init__(self, ttl: float | None = None) -> None:
        super().__init__(ttl)
        self.gate = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)

    async def __call__(self, query):
        if query.question.key[1:5] == b"slow":
            self.waiting.release()
            await self.gate.wait()
        return await super().__call__(query)


@pytest.mark.parametrize("ttl", [None, 300])
async def test_pipelined_queries_are_all_answered(ttl):
    """R-T02: 15 queries in one segment."""
    async with Serving(Counting(ttl=ttl)) as serving:
        reader, writer = await serving.stream()
        for _ in range(2):
            writer.write(framed(*(named(number) for number in range(15))))
            replies = [dns.message.from_wire(await read_framed(reader)) for _ in range(15)]
            assert {reply.id for reply in replies} == set(range(15))
            for reply in replies:
                assert reply.question[0].name.labels[0] == b"n%d" % reply.id
        writer.close()


async def test_answers_leave_out_of_order():
    """R-T03: the slow one first, the fast one overtakes it."""
    handler = Slow()
    async with Serving(handler) as serving:
        reader, writer = await serving.stream()
        writer.write(framed(question("slow.example.org").to_wire(), named(7)))
        assert (await read_framed(reader))[:2] == b"\x00\x07"
        handler.gate.set()
        assert dns.message.from_wire(await read_framed(reader)).question[0].name.labels[0] == b"slow"
        writer.close()


async def test_any_segmentation_works():
    """R-T04: one octet per write."""
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(named(1), named(2)):
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0)
        assert {(await read_framed(reader))[:2] for _ in range(2)} == {b"\x00\x01", b"\x00\x02"}
        writer.close()


@pytest.mark.parametrize("said", [b"", b"\x00", framed(named(1))[:9], framed(named(1))[:-1]])
async def test_idle_and_half_sent_connections_are_closed(said):
    """R-T05: seconds, configurable."""
    async with Serving(settings={"tcp_idle_timeout": 0.1}) as serving:
        reader, writer = await serving.stream()
        writer.write(said)
        assert await read_end(reader) == b""
        writer.close()


async def test_trickler_is_closed_though_it_keeps_on_sending():
    """R-T05: octets that complete no message do not count."""
    async with Serving(settings={"tcp_idle_timeout": 0.1}) as serving:
        reader, writer = await serving.stream()
        ending = asyncio.create_task(read_end(reader))
        with contextlib.suppress(ConnectionError):
            for octet in framed(padded(4000)):
                if ending.done():
                    break
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0.01)
        assert await ending == b""
        writer.close()


async def test_connection_with_a_query_in_hand_is_not_idle():
    handler = Slow()
    async with Serving(handler, settings={"tcp_idle_timeout": 0.05}) as serving:
        reader, writer = await serving.stream()
        writer.write(framed(question("slow.example.org").to_wire()))
        other, other_writer = await serving.stream()
        assert await read_end(other) == b""  # opened later, closed already
        handler.gate.set()
        assert await read_framed(reader)
        assert await read_end(reader) == b""
        writer.close()
        other_writer.close()


async def test_caps_hold_and_new_clients_still_get_in():
    """R-T05, R-T06: 40 silent connections; UDP goes on, and the idlest make room."""
    async with Serving(settings={"tcp_connections": 20, "tcp_connections_per_client": 10}) as serving:
        idle = []
        for _ in range(40):
            idle.append(await serving.stream())
            assert (await serving.tcp(question())).answer
            assert serving.tcp_listener.connections <= 10
        assert (await serving.udp(question())).answer
        assert await read_end(idle[0][0]) == b""
        for _, writer in idle:
            writer.close()


async def test_total_cap_holds_over_clients():
    """R-T05: a total cap."""
    async with Serving(settings={"tcp_connections": 5, "tcp_connections_per_client": 3}) as serving:
        opened = [await serving.stream(local_addr=(f"127.0.0.{number}", 0)) for number in range(1, 12)]
        assert (await serving.tcp(question())).answer
        assert serving.tcp_listener.connections <= 5
        for _, writer in opened:
            writer.close()


async def test_busy_connections_are_never_closed_for_room_and_recover():
    """R-T06: when the cap is hit UDP goes on, and TCP recovers when clients leave."""
    handler = Slow()
    async with Serving(handler, settings={"tcp_connections": 3, "tcp_connections_per_client": 3}) as serving:
        busy = [await serving.stream() for _ in range(3)]
        for _, writer in busy:
            writer.write(framed(question("slow.example.org").to_wire()))
            await handler.waiting.acquire()
        refused, writer = await serving.stream()
        assert await read_end(refused) == b""
        writer.close()
        assert (await serving.udp(question())).answer
        handler.gate.set()
        for reader, writer in busy:
            assert await read_framed(reader)
            writer.close()
        assert (await serving.tcp(question())).answer


async def test_edns_size_does_not_limit_streams():
    """R-T07: answers up to 65535 octets."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 58_000),)), None, 60)

    async with Serving(handler) as serving:
        reply = await serving.tcp(question(qtype="TXT", use_edns=0, payload=512))
        assert sum(map(len, reply.answer[0][0].strings)) > 57_000


@pytest.mark.parametrize(
    "said",
    [
        b"\x00\x00",
        framed(named(1)) + b"\x00\x00",
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"POST /dns-query HTTP/1.1\r\n",
        b"\xff\xff" + bytes(3) + b"\x00\x00\x99" + bytes(100),
    ],
)
async def test_garbage_costs_the_connection_and_no_log(said, caplog):
    """R-T08: zero length, oversized length, HTTP on port 53: dropped at once, no log flood."""
    async with Serving() as serving:
        for _ in range(20):
            reader, writer = await serving.stream()
            writer.write(said)
            writer.write(b"\x00\x00")
            await read_end(reader)
            writer.close()
        assert (await serving.tcp(question())).answer
    assert not caplog.records


async def test_reset_in_the_middle_gives_up_the_query(caplog):
    """R-T08: RST in the middle."""
    handler = Slow()
    async with Serving(handler) as serving:
        for _ in range(5):
            reader, writer = await serving.stream()
            writer.write(framed(question("slow.example.org").to_wire(), named(1))[:-3])
            await handler.waiting.acquire()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            assert await read_end(reader) == b""
        async with asyncio.timeout(LONG):
            while serving.tcp_listener.connections:
                await asyncio.sleep(0.01)
        assert (await serving.tcp(question())).answer
    assert not caplog.records


def test_only_long_messages_that_are_no_query_are_taken_for_another_protocol():
    """R-T08."""
    assert is_other_protocol(b"GET / HTTP/1.1\r\n")
    assert not is_other_protocol(framed(padded(8000)))
    assert not is_other_protocol(framed(named(1)))
    assert not is_other_protocol(b"GET / H")
    assert is_other_protocol(framed(dns.message.make_response(question()).to_wire() + bytes(5000)))


async def test_long_query_is_answered():
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.write(framed(padded(8000)))
        assert dns.message.from_wire(await read_framed(reader)).answer
        writer.close()


async def test_half_closed_client_gets_its_answers():
    """RFC 7766, section 6.2.4 asks nobody to wait; a client may close its side once it has asked."""
    handler = Slow()
    async with Serving(handler) as serving:
        reader, writer = await serving.stream()
        writer.write(framed(question("slow.example.org").to_wire(), named(2)))
        writer.write_eof()
        assert (await read_framed(reader))[:2] == b"\x00\x02"
        handler.gate.set()
        assert await read_framed(reader)
        assert await read_end(reader) == b""
        writer.close()


async def test_queries_in_hand_per_connection_are_bounded():
    """R-T05, R-P03: what is over waits in the client's own buffers."""
    handler = Slow()
    async with Serving(handler, settings={"queries_per_connection": 4}) as serving:
        reader, writer = await serving.stream()
        writer.write(framed(*(question(f"slow{n}.example.org").to_wire() for n in range(30))))
        for _ in range(4):
            await handler.waiting.acquire()
        assert (await serving.tcp(question())).answer
        assert handler.waiting.locked()
        handler.gate.set()
        for _ in range(30):
            await read_framed(reader)
        writer.close()


async def test_reading_goes_on_after_as_many_queries_as_may_be_in_hand():
    handler = Slow()
    async with Serving(handler, settings={"queries_per_connection": 2}) as serving:
        reader, writer = await serving.stream()
        for _ in range(3):
            writer.write(framed(*(question(f"slow{n}.example.org").to_wire() for n in range(2))))
            await handler.waiting.acquire()
            await handler.waiting.acquire()
            handler.gate.set()
            await read_framed(reader)
            await read_framed(reader)
            handler.gate.clear()
        writer.close()


async def test_thousands_of_cached_queries_in_one_go_are_answered():
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.write(framed(named(1)) * 3000)
        for _ in range(3000):
            await read_framed(reader)
        writer.close()


async def test_client_that_does_not_read_is_slowed_down_and_then_dropped():
    """R-T05, R-P04: replies nobody reads must not pile up."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 60_000),)), None, 300)

    async with Serving(handler, settings={"tcp_idle_timeout": 0.2}) as serving:
        reader, writer = await serving.stream(limit=1024)
        wire = question(qtype="TXT").to_wire()
        writer.write(framed(wire) * 400)
        async with asyncio.timeout(LONG):
            while serving.tcp_listener.connections == 0:
                await asyncio.sleep(0.01)
            while serving.tcp_listener.connections:
                await asyncio.sleep(0.01)
        await read_end(reader)
        writer.close()


async def test_client_that_reads_late_gets_all():
    """Writing pauses and goes on (RFC 7766, section 6.2.1.1 needs no order, but every answer)."""

    async def handler(query):
        return Answer(ReplyBody(0, answer=(text(query, 16_000),)), None, 300)

    async with Serving(handler, settings={"queries_per_connection": 8}) as serving:
        reader, writer = await serving.stream(limit=1024)
        writer.write(framed(question(qtype="TXT").to_wire()) * 600)
        await asyncio.sleep(0.1)
        for _ in range(600):
            await read_framed(reader)
        writer.close()


async def test_silence_on_a_stream_leaves_the_connection_usable():
    """R-W02: a response gets no answer, the next query does."""
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.write(framed(dns.message.make_response(question()).to_wire(), named(3)))
        assert (await read_framed(reader))[:2] == b"\x00\x03"
        writer.close()


async def test_stranger_is_not_connected(caplog):
    """R-P01: dropped before it can hold anything."""
    async with Serving(access={"allow": ["192.0.2.0/24"]}) as serving:
        reader, writer = await serving.stream()
        assert await read_end(reader) == b""
        writer.close()
        assert serving.tcp_listener.connections == 0
    assert "client.refused" in caplog.text


async def test_drain_answers_what_is_in_hand_and_closes():
    handler = Slow()
    async with Serving(handler) as serving:
        idle, idle_writer = await serving.stream()
        reader, writer = await serving.stream()
        writer.write(framed(question("slow.example.org").to_wire()))
        await handler.waiting.acquire()
        serving.tcp_listener.stop()
        serving.tcp_listener.stop()
        draining = asyncio.create_task(serving.tcp_listener.drain(LONG))
        assert await read_end(idle) == b""
        writer.write(framed(named(9)))
        handler.gate.set()
        assert await read_framed(reader)
        assert await read_end(reader) == b""
        await draining
        assert serving.tcp_listener.connections == 0
        writer.close()
        idle_writer.close()


async def test_drain_gives_up_in_time():
    handler = Slow()
    async with Serving(handler) as serving:
        reader, writer = await serving.stream()
        writer.write(framed(question("slow.example.org").to_wire()))
        await handler.waiting.acquire()
        serving.tcp_listener.stop()
        await asyncio.wait_for(serving.tcp_listener.drain(0.01), LONG)
        assert await read_end(reader) == b""
        writer.close()


@pytest.fixture
def few_descriptors():
    """Let the process open few descriptors more than it has."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit(more: int) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with socket.socket() as lowest_free:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free.fileno() + more, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_without_descriptors_connections_are_shed_and_udp_goes_on(few_descriptors, caplog):
    """R-O09: sheds TCP first, UDP goes on, recovers."""
    async with Serving(settings={"tcp_connections_per_client": 1000}) as serving:
        with serving.datagram_client() as client:
            few_descriptors(20)
            held = []
            with contextlib.suppress(OSError):
                while len(held) < 40:
                    sock = socket.socket()
                    sock.setblocking(False)
                    held.append(sock)
                    with contextlib.suppress(BlockingIOError):
                        sock.connect(("127.0.0.1", serving.port))
            for _ in range(5):
                query = question()
                assert (await client.exchange(query.to_wire()))[:2] == query.to_wire()[:2]
            for sock in held:
                sock.close()
            assert (await serving.tcp(question())).answer
    assert sum("tcp.shed" in record.message for record in caplog.records) == 1


async def test_without_any_descriptor_and_nothing_to_shed_the_waiting_are_turned_away(few_descriptors):
    """R-O09: a connection that can be neither served nor refused must not keep the server spinning."""
    handler = Slow()
    async with Serving(handler) as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            loop = asyncio.get_running_loop()
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(loop.sock_recv(waiting, 1), LONG) == b""
            assert (await client.exchange(named(5)))[:2] == b"\x00\x05"


async def test_without_a_spare_descriptor_accepting_rests_and_goes_on(few_descriptors, monkeypatch):
    """R-O09: recovers."""
    monkeypatch.setattr("sinkhole.transport.tcp._REST", 0.05)
    async with Serving() as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            serving.tcp_listener._close_spare()
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            await client.exchange(question().to_wire())
            few_descriptors(50)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(waiting, framed(named(6)))
            assert (await asyncio.wait_for(loop.sock_recv(waiting, 4), LONG))[2:] == b"\x00\x06"


async def test_idle_connections_are_shed_for_a_new_one(few_descriptors):
    """R-O09: the idlest make room."""
    async with Serving() as serving:
        idle = [await serving.stream() for _ in range(12)]
        with socket.socket() as late:
            late.setblocking(False)
            few_descriptors(0)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(late, ("127.0.0.1", serving.port))
            await loop.sock_sendall(late, framed(named(6)))
            assert (await asyncio.wait_for(loop.sock_recv(late, 4), LONG))[2:] == b"\x00\x06"
            assert await read_end(idle[0][0]) == b""
            assert serving.tcp_listener.connections < 12
        for _, writer in idle:
            writer.close()


async def test_listener_that_rests_can_be_stopped(few_descriptors):
    """R-O09."""
    async with Serving() as serving:
        with serving.datagram_client() as client, socket.socket() as waiting:
            serving.tcp_listener._close_spare()
            waiting.setblocking(False)
            few_descriptors(0)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", serving.port))
            await client.exchange(question().to_wire())
            await client.exchange(question().to_wire())
            assert serving.tcp_listener._rest is not None
            serving.tcp_listener.stop()
            assert serving.tcp_listener._rest is None


async def test_broken_listening_socket_is_logged_once(caplog):
    """R-P07."""
    async with Serving() as serving:
        serving._tcp_socket.shutdown(socket.SHUT_RDWR)
        assert (await serving.udp(question())).answer
        assert (await serving.udp(question())).answer
    assert [record.message.split()[0] for record in caplog.records] == ["tcp.accept_failed"]


async def test_crowd_that_comes_at_once_is_kept_within_the_cap():
    """R-T05: connections that are not even open yet make room too."""
    async with Serving(settings={"tcp_connections": 2}) as serving:
        crowd = [socket.socket() for _ in range(10)]
        for sock in crowd:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", serving.port))
        loop = asyncio.get_running_loop()
        assert await asyncio.wait_for(loop.sock_recv(crowd[0], 1), LONG) == b""
        await loop.sock_sendall(crowd[-1], framed(named(3)))
        assert (await asyncio.wait_for(loop.sock_recv(crowd[-1], 4), LONG))[2:] == b"\x00\x03"
        assert serving.tcp_listener.connections <= 2
        for sock in crowd:
            sock.close()


async def test_half_of_the_descriptors_stay_for_upstreams(few_descriptors):
    """R-O09: whatever the setting says."""
    few_descriptors(30)
    async with Serving(settings={"tcp_connections_per_client": 1000}) as serving:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        assert serving.tcp_listener._connections._max_total == most


async def test_listeners_share_the_bounds_of_a_worker():
    """R-T05: open connections per worker, not per address."""
    shared = Connections.from_settings(TransportSettings(tcp_connections=3))
    async with Serving(connections=shared) as one, Serving(connections=shared) as other:
        held = [await serving.stream() for serving in (one, other) * 3]
        assert (await one.tcp(question())).answer
        assert (await other.tcp(question())).answer
        assert one.tcp_listener.connections == other.tcp_listener.connections <= 3
        for _, writer in held:
            writer.close()


async def test_connection_reused_by_a_stub():
    """R-T02: several queries on one connection, one after another; R-T10: keepalive is told."""
    async with Serving(settings={"tcp_idle_timeout": 12}) as serving:
        reader, writer = await serving.stream()
        for number in range(5):
            query = question(use_edns=0, options=[dns.edns.GenericOption(11, b"")])
            query.id = number
            writer.write(framed(query.to_wire()))
            reply = dns.message.from_wire(await read_framed(reader))
            assert reply.id == number
            assert bytes(reply.options[0].to_wire()) == (120).to_bytes(2, "big")
        assert serving.tcp_listener.connections == 1
        writer.close()
