"""The control process's end of `control.sock`: takes hits and counters from workers, requests from the command line."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sinkhole.app.local_socket import MAX_LINE, MessageError, read_messages, write_message
from sinkhole.errors import PolicyError, SinkholeError
from sinkhole.log import Log

APPLY_WITHIN = 2.0
"""Seconds in which the workers must have taken a new generation in."""

Request = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
TakeHits = Callable[[str, dict[str, Any]], Awaitable[bool]]


@dataclass(slots=True, eq=False)
class WorkerLine:
    """One connected worker: what it last said of itself."""

    worker: str
    writer: asyncio.StreamWriter
    counters: dict[str, Any] = field(default_factory=dict)
    generation: int = 0


class ControlServer:
    """Serve the socket.

    Args:
        take_hits: stores a batch of a worker; False where it could not, so that the worker keeps it.
        request: answers a message of the command line.
        note_new: is told addresses of clients that a worker knows nothing more of.
    """

    def __init__(
        self, take_hits: TakeHits, request: Request, note_new: Callable[[list[str]], None] = lambda addresses: None
    ) -> None:
        self._note_new = note_new
        self._take_hits = take_hits
        self._request = request
        self._lines: set[WorkerLine] = set()
        self._applied = asyncio.Condition()
        self._log = Log("control")

    async def serve(self, sock: socket.socket) -> asyncio.Server:
        """Start to accept."""
        return await asyncio.start_unix_server(self._connected, sock=sock, limit=MAX_LINE)

    @property
    def workers(self) -> list[dict[str, Any]]:
        """What each connected worker last said."""
        return [{**line.counters, "worker": line.worker, "generation": line.generation} for line in self._lines]

    async def until_idle(self, seconds: float) -> None:
        """Wait until every worker has hung up and what it sent is taken in, at most `seconds`."""
        async with self._applied:
            try:
                async with asyncio.timeout(seconds):
                    await self._applied.wait_for(lambda: not self._lines)
            except TimeoutError:
                self._log.warning("control.workers_still_there", count=len(self._lines))

    async def announce(self, generation: int) -> int:
        """Tell the workers of a new generation; return how many do not have it in force within `APPLY_WITHIN`."""
        for line in self._lines:
            write_message(line.writer, {"op": "policy", "generation": generation})
        async with self._applied:
            try:
                async with asyncio.timeout(APPLY_WITHIN):
                    await self._applied.wait_for(lambda: all(line.generation >= generation for line in self._lines))
            except TimeoutError:
                self._log.error("policy.not_applied", generation=generation)
        return sum(line.generation < generation for line in self._lines)

    def announce_clients(self) -> None:
        """Tell the workers that there is a new table of who is at which address."""
        for line in self._lines:
            write_message(line.writer, {"op": "clients"})

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: WorkerLine | None = None
        try:
            async for message in read_messages(reader):
                if message["op"] == "hello":
                    line = WorkerLine(str(message["worker"]), writer)
                    self._lines.add(line)
                if line is not None:
                    await self._from_worker(line, message)
                else:
                    write_message(writer, await self._answer(message))
                await writer.drain()
        except (MessageError, PolicyError) as error:
            self._log.error("control.nonsense", why=error)
        except ConnectionError:
            pass
        finally:
            writer.close()
            if line is not None:
                self._lines.discard(line)
                async with self._applied:
                    self._applied.notify_all()

    async def _from_worker(self, line: WorkerLine, message: dict[str, Any]) -> None:
        match message["op"]:
            case "hits":
                if await self._take_hits(line.worker, message):
                    write_message(line.writer, {"op": "ack", "seq": message["seq"]})
            case "seen":
                self._note_new([str(address) for address in message["clients"]])
            case "hello" | "applied" | "counters":
                line.counters |= {k: v for k, v in message.items() if k not in ("op", "worker", "generation")}
                line.generation = int(message["generation"])
                async with self._applied:
                    self._applied.notify_all()

    async def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"op": "done", **await self._request(message)}
        except SinkholeError as error:
            return {"op": "failed", "why": str(error)}
