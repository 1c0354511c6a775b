"""Replies to datagrams that were begun without a task."""

import asyncio
import struct

import pytest

from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer
from sinkhole.transport import udp as udp_module
from tests.transport.asking import LONG, question
from tests.transport.serving import Serving, address


class Beginning:
    """Begins queries and ends them when the test says so; names that begin with `now` are answered at once."""

    def __init__(self):
        self.waiting = []
        self.came = asyncio.Event()

    def __call__(self, query, done):
        if query.question.key[1:4] == b"now":
            return Answer(ReplyBody(0, answer=(address(query),)), None, 300)
        self.waiting.append((query, done))
        self.came.set()
        return None

    def end(self, error=None):
        """End all that wait."""
        waiting, self.waiting = self.waiting, []
        for query, done in waiting:
            done(None if error else Answer(ReplyBody(0, answer=(address(query),)), None, 300), error)


def serving_with(begin):
    return Serving(begin=begin)


async def test_reply_comes_when_the_query_ends_and_is_kept_for_the_next():
    begin = Beginning()
    async with serving_with(begin) as serving:
        reply = asyncio.create_task(serving.udp(question()))
        await begin.came.wait()
        begin.end()
        assert (await reply).answer
        assert (await serving.udp(question())).answer
        assert begin.waiting == []
    assert serving.handler.queries == []


async def test_failure_is_servfail_and_logged(caplog):
    begin = Beginning()
    async with serving_with(begin) as serving:
        reply = asyncio.create_task(serving.udp(question()))
        await begin.came.wait()
        begin.end(ZeroDivisionError())
        assert (await reply).rcode() == 2
    assert "query.failed" in caplog.text


async def test_drain_waits_for_what_was_begun_and_lets_its_reply_out():
    begin = Beginning()
    async with serving_with(begin) as serving:
        reply = asyncio.create_task(serving.udp(question()))
        await begin.came.wait()
        serving.udp_listener.stop()
        draining = asyncio.create_task(serving.udp_listener.drain(LONG))
        await asyncio.sleep(0)
        begin.end()
        await draining
        assert (await reply).answer


async def test_drain_gives_up_on_what_was_begun_and_bears_its_late_end():
    begin = Beginning()
    async with serving_with(begin) as serving:
        with serving.datagram_client() as client:
            client.send(question().to_wire())
            await begin.came.wait()
            serving.udp_listener.stop()
            await asyncio.wait_for(serving.udp_listener.drain(0.01), LONG)
            begin.end()
            await asyncio.sleep(0)


@pytest.mark.interpreted
async def test_number_of_begun_queries_is_bounded_and_others_are_answered(monkeypatch):
    """R-P04"""
    monkeypatch.setattr(udp_module, "_MAX_WAITING", 3)
    begin = Beginning()
    async with serving_with(begin) as serving:
        with serving.datagram_client() as client:
            for number in range(10):
                client.send(struct.pack("!H", number) + question("slow.example.org").to_wire()[2:])
            assert (await serving.udp(question("www.example.org"))).answer
        assert len(begin.waiting) == 3
        begin.end()


async def test_streams_have_tasks():
    begin = Beginning()
    async with serving_with(begin) as serving:
        assert (await serving.tcp(question())).answer
    assert begin.waiting == []
    assert len(serving.handler.queries) == 1
