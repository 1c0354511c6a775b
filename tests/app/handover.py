"""The ends of the control socket, for tests: a control process that does as it is told, and rows to hand over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sinkhole.app.local_socket import MAX_LINE, bind_control, read_messages, write_message
from sinkhole.config.schema import RecordSettings
from sinkhole.policy.hit import rows_of_lots
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.resolver.hits import Hits

BLOCKED = Verdict(Action.BLOCK, "ai", vendor="deepseek")
Reaction = Callable[[dict[str, Any]], dict[str, Any] | None]


def counted(*names: str) -> Hits:
    """Return hits of one client for some names."""
    hits = Hits(RecordSettings(names_per_client=1_000_000))
    count(hits, *names)
    return hits


def count(hits: Hits, *names: str) -> None:
    """Count one query for each name."""
    for name in names:
        hits.count("192.0.2.1", name_from_text(name), 1, BLOCKED, datetime(2026, 11, 24, 12, tzinfo=UTC))


def acknowledge(message: dict[str, Any]) -> dict[str, Any] | None:
    """Answer as a control process whose store works."""
    return {"op": "ack", "seq": message["seq"]} if message["op"] == "hits" else None


class ScriptedControl:
    """Listens on the control socket of a folder; `heard` is what came, `react` what is answered to it."""

    def __init__(self, folder: Path, react: Reaction = acknowledge) -> None:
        self.heard: list[dict[str, Any]] = []
        self.react = react
        self._sock = bind_control(folder)
        self._writers: list[asyncio.StreamWriter] = []
        self._news = asyncio.Condition()

    @property
    def batches(self) -> list[tuple[int, list[str]]]:
        """The batches that came, each with its number and names."""
        return [(m["seq"], [row.name for row in rows_of_lots(m["rows"])]) for m in self.heard if m["op"] == "hits"]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._connected, sock=self._sock, limit=MAX_LINE)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection, as a process that dies does."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def say(self, line: bytes) -> None:
        """Send some octets to everyone connected."""
        for writer in self._writers:
            writer.write(line)

    async def until(self, is_so: Callable[[], object], seconds: float = 10) -> None:
        """Wait until something heard makes it so."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(is_so)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        async for message in read_messages(reader):
            self.heard.append(message)
            if (answer := self.react(message)) and not writer.is_closing():
                write_message(writer, answer)
            async with self._news:
                self._news.notify_all()
        writer.close()
