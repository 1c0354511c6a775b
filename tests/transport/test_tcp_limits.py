import asyncio
import contextlib
import socket

import pytest

from sinkhole.config.schema import TransportSettings
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport.connections import Connections
from tests.transport.asking import LONG, framed, named, padded, question, read_end, read_framed
from tests.transport.serving import Serving, Slow, text


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


async def test_stranger_is_not_connected(caplog):
    """R-P01: dropped before it can hold anything."""
    async with Serving(access={"allow": ["192.0.2.0/24"]}) as serving:
        reader, writer = await serving.stream()
        assert await read_end(reader) == b""
        writer.close()
        assert serving.tcp_listener.connections == 0
    assert "client.refused" in caplog.text
