"""The control process's end of the socket: workers and commands, real connections."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sinkhole.app.control_server import APPLY_WITHIN, ControlServer
from sinkhole.app.local_socket import bind_control, connect_control, read_messages, write_message
from sinkhole.errors import PolicyError
from sinkhole.policy.hit import rows_of_lots


class Line:
    """One connection, as a worker or a command has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._messages = read_messages(reader)
        self._writer = writer

    def say(self, **message: Any) -> None:
        write_message(self._writer, message)

    def say_octets(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def hear(self) -> dict[str, Any] | None:
        async with asyncio.timeout(5):
            return await anext(self._messages, None)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


class World:
    """A server whose store takes hits or not, as `takes` says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.takes = True
        self.taken: list[tuple[str, int]] = []
        self.server = ControlServer(self._take, self._request)

    async def _take(self, worker: str, message: dict[str, Any]) -> bool:
        rows_of_lots(message.get("rows", []))
        self.taken.append((worker, message["seq"]))
        return self.takes

    async def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["op"] == "refuse":
            raise PolicyError("statement 9 is wrong")
        return {"echo": message["op"]}

    async def connect(self) -> Line:
        return Line(*await connect_control(self.folder))

    async def worker(self, name: str, generation: int = 1) -> Line:
        """Connect as a worker, and wait until the server knows it."""
        line = await self.connect()
        known = len(self.server.workers)
        line.say(op="hello", worker=name, generation=generation, pid=17)
        async with asyncio.timeout(5):
            while len(self.server.workers) == known:
                await asyncio.sleep(0)
        return line


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[World]:
    world = World(folder)
    async with await world.server.serve(bind_control(folder)):
        yield world


async def test_command_is_answered(tmp_path):
    async with serving(tmp_path) as world:
        line = await world.connect()
        line.say(op="status")
        assert await line.hear() == {"op": "done", "echo": "status"}
        line.say(op="refuse")
        assert await line.hear() == {"op": "failed", "why": "statement 9 is wrong"}
        await line.close()


@pytest.mark.parametrize("octets", [b"nonsense\n", b"[1]\n", b"{}\n"])
async def test_nonsense_ends_the_connection_and_nothing_else(tmp_path, octets):
    async with serving(tmp_path) as world:
        bad = await world.connect()
        bad.say_octets(octets)
        assert await bad.hear() is None
        good = await world.connect()
        good.say(op="status")
        assert (await good.hear() or {})["op"] == "done"
        await bad.close()
        await good.close()


@pytest.mark.parametrize("rows", [None, [[1]], [[["192.0.2.1"] * 13] * 13], {"name": 1}])
async def test_batch_that_is_none_is_not_acknowledged_and_ends_the_connection(tmp_path, rows, caplog):
    """A worker of another version keeps what it has until it is replaced, and the control process lives."""
    async with serving(tmp_path) as world:
        bad = await world.worker("bad")
        bad.say(op="hits", seq=1, rows=rows, dropped=0)
        assert await bad.hear() is None
        assert "control.nonsense" in caplog.text
        good = await world.worker("good")
        good.say(op="hits", seq=1, rows=[], dropped=0)
        assert await good.hear() == {"op": "ack", "seq": 1}
        assert world.taken == [("good", 1)]
        await bad.close()
        await good.close()


async def test_only_what_is_stored_is_acknowledged(tmp_path):
    """R-D04: a batch that the store did not take stays with the worker."""
    async with serving(tmp_path) as world:
        worker = await world.worker("w1")
        world.takes = False
        worker.say(op="hits", seq=1, rows=[], dropped=0)
        while not world.taken:
            await asyncio.sleep(0)
        world.takes = True
        worker.say(op="hits", seq=1, rows=[], dropped=0)
        assert await worker.hear() == {"op": "ack", "seq": 1}
        assert world.taken == [("w1", 1), ("w1", 1)]
        await worker.close()


async def test_announcement_waits_until_all_have_it(tmp_path):
    """R-F02: whoever changed a policy hears of it when every worker answers by it."""
    async with serving(tmp_path) as world:
        first, second = await world.worker("w1"), await world.worker("w2")
        announcing = asyncio.create_task(world.server.announce(5))
        for line in (first, second):
            assert await line.hear() == {"op": "policy", "generation": 5}
        first.say(op="applied", generation=5)
        await asyncio.sleep(0.05)
        assert not announcing.done()
        second.say(op="applied", generation=5)
        assert await announcing == 0
        assert sorted(worker["generation"] for worker in world.server.workers) == [5, 5]
        await first.close()
        await second.close()


async def test_late_worker_is_told_of(tmp_path):
    async with serving(tmp_path) as world:
        worker = await world.worker("w1")
        began = time.monotonic()
        assert await world.server.announce(5) == 1
        assert APPLY_WITHIN - 0.1 < time.monotonic() - began < APPLY_WITHIN + 1
        await worker.close()


async def test_worker_that_dies_delays_no_announcement(tmp_path):
    async with serving(tmp_path) as world:
        worker = await world.worker("w1")
        announcing = asyncio.create_task(world.server.announce(5))
        await worker.hear()
        await worker.close()
        began = time.monotonic()
        assert await announcing == 0
        assert time.monotonic() - began < APPLY_WITHIN / 2


async def test_announcement_without_workers(tmp_path):
    async with serving(tmp_path) as world:
        assert await world.server.announce(5) == 0


async def test_stop_waits_until_the_workers_have_hung_up(tmp_path):
    async with serving(tmp_path) as world:
        worker = await world.worker("w1")
        idle = asyncio.create_task(world.server.until_idle(5))
        worker.say(op="hits", seq=1, rows=[], dropped=0)
        await worker.hear()
        assert not idle.done()
        await worker.close()
        await idle
        assert world.taken == [("w1", 1)]


async def test_stop_waits_no_longer_than_told(tmp_path):
    async with serving(tmp_path) as world:
        worker = await world.worker("w1")
        began = time.monotonic()
        await world.server.until_idle(0.1)
        assert time.monotonic() - began < 1
        await worker.close()
