"""Events for tests, harmless and hostile, and a server on loopback that takes what is sent."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sinkhole.noted import Alert, AuditEntry
from sinkhole.out.event import HitEvent
from tests.store.rows import START, row

HOSTILE = 'a|b=c\\d"e]f\ng\rh\tü\x1b[31m\u202e\x00'
"""What would end a field, a line or a string of one format or another, and what a terminal obeys."""


def hit(number=1, **fields):
    return HitEvent(number, row(**fields))


def alert(number=1, **fields):
    base = {"at": START, "kind": "new-vendor", "cause": "deepseek", "text": "deepseek was asked for", "facts": {}}
    return Alert(number, **(base | fields))


def audit(number=1, **fields):
    base = {"at": START, "who": "ann", "origin": "host", "what": "policy block", "before": None, "after": '{"a": 1}'}
    return AuditEntry(number, **(base | {"digest": "00ff"} | fields))


HOSTILE_EVENTS = (
    hit(name="a\\010b.example.org", client=HOSTILE, group=HOSTILE, vendor=HOSTILE, feed=HOSTILE, subject=HOSTILE),
    alert(cause=HOSTILE, text=HOSTILE, facts={"name": HOSTILE}),
    audit(who=HOSTILE, origin=HOSTILE, what=HOSTILE, before=HOSTILE),
)


_CLOSED_TWICE = (AttributeError,) if sys.version_info < (3, 11, 4) else ()
"""What a transport raises that is aborted then."""


class Receiver:
    """Takes octets over TCP; `data` is all that came, of all connections."""

    def __init__(self):
        self.data = b""
        self.connections = 0
        self.writers = []
        self._news = asyncio.Event()

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        try:
            while chunk := await reader.read(65536):
                self.data += chunk
                self._news.set()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def until(self, has):
        async with asyncio.timeout(5):
            while not has(self.data):
                self._news.clear()
                await self._news.wait()
        return self.data

    async def hang_up(self):
        for writer in self.writers:
            with suppress(*_CLOSED_TWICE):
                writer.transport.abort()
        self.writers.clear()
        await asyncio.sleep(0)


@asynccontextmanager
async def listening(tls=None, port=0) -> AsyncIterator[tuple[Receiver, int]]:
    """Give a receiver and its port."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=tls)
    try:
        yield receiver, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await receiver.hang_up()
        await server.wait_closed()
        await asyncio.sleep(0.02)  # a handshake that failed ends a few turns of the loop later


@asynccontextmanager
async def handled(handler, path=None) -> AsyncIterator[int]:
    """Have connections handled on a port, which is given, or on a Unix socket; end them all."""
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        await handler(reader, writer)

    if path is not None:
        server = await asyncio.start_unix_server(serve, path)
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield 0 if path is not None else server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0.01)
