import asyncio
import socket
import struct

import dns.edns
import dns.message
import pytest

from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport.connection import is_other_protocol
from tests.transport.asking import LONG, framed, named, padded, question, read_end, read_framed
from tests.transport.serving import Counting, Serving, Slow, text


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


async def test_thousands_of_cached_queries_in_one_go_are_answered():
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.write(framed(named(1)) * 3000)
        for _ in range(3000):
            await read_framed(reader)
        writer.close()


async def test_silence_on_a_stream_leaves_the_connection_usable():
    """R-W02: a response gets no answer, the next query does."""
    async with Serving() as serving:
        reader, writer = await serving.stream()
        writer.write(framed(dns.message.make_response(question()).to_wire(), named(3)))
        assert (await read_framed(reader))[:2] == b"\x00\x03"
        writer.close()


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
