"""One TCP connection: messages in, replies out as they become ready, in whatever order (RFC 7766, section 6.2.1.1)."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, Protocol, cast

from sinkhole.errors import FormError
from sinkhole.protocol.framing import FrameReader, frame
from sinkhole.transport.dispatch import Dispatch

_MAX_UNREAD = 1024 * 1024
"""Octets of replies kept for a client that does not read them; more, and it loses the connection."""
_WRITTEN_AT_ONCE = 65_536
"""Octets after which it is time to see whether the client reads."""
_LONG_QUERY = 4096
_PLAUSIBLE_QUESTIONS = 1


class Owner(Protocol):
    """What a connection tells the listener it belongs to."""

    def touched(self, connection: "Connection") -> None:
        """Note that a message came in or a reply went out."""
        ...

    def lost(self, connection: "Connection") -> None:
        """Note that the connection is no more."""
        ...


class Connection(asyncio.Protocol):
    """Answers the messages of one connection.

    Args:
        host: address of the client.
        network: what counts as one client.
        dispatch: what answers.
        max_queries: queries answered at the same time; while there are as many, nothing more is read.
        owner: the listener.
    """

    def __init__(self, host: str, network: str, dispatch: Dispatch, max_queries: int, owner: Owner) -> None:
        self.network = network
        self.last_active = 0.0
        self._host = host
        self._dispatch = dispatch
        self._max_queries = max_queries
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._reader = FrameReader()
        self._unread: deque[bytes] = deque()
        self._tasks: set[asyncio.Task[bytes]] = set()
        self._is_first = True
        self._is_last = False
        self._is_clogged = False
        self._is_scheduled = False

    @property
    def is_busy(self) -> bool:
        """Whether queries are being answered; those of a client that does not read its replies do not count."""
        return bool(self._tasks) or (bool(self._unread) and not self._is_clogged)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (asyncio)."""
        # That it is one is what event loops promise to a Protocol; those of uvloop are none by class.
        self._transport = cast(asyncio.Transport, transport)
        if self._is_last:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take in octets, in whatever pieces they come (RFC 7766, section 8)."""
        if self._is_last:
            # Read and thrown away: closing with octets unread would be a reset, and take our last replies with it.
            return
        if self._is_first and is_other_protocol(data):
            self.abort()
            return
        self._is_first = False
        try:
            messages = self._reader.feed(data)
            if messages:
                self._owner.touched(self)
                self._unread.extend(messages)
                self._work()
                self._reader.feed(b"")  # what comes next may be wrong already
        except FormError:
            self.abort()

    def eof_received(self) -> bool:
        """Answer what was asked before the client closed its side, then close ours."""
        self.finish()
        return True

    def pause_writing(self) -> None:
        """Take no more queries of a client that does not read the replies (asyncio)."""
        self._is_clogged = True
        self._steer_reading()

    def resume_writing(self) -> None:
        """Go on (asyncio)."""
        self._is_clogged = False
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the queries in hand: nobody is left to answer (asyncio)."""
        self._unread.clear()
        for task in self._tasks:
            task.cancel()
        self._transport = None
        self._owner.lost(self)

    def finish(self) -> None:
        """Read no more, and close once what was asked is answered."""
        self._is_last = True
        self._steer_reading()
        self._close_if_done()

    def abort(self) -> None:
        """Drop the connection now, whatever is in hand."""
        self._is_last = True
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        """Answer waiting messages: as many as may be in hand, and no more in one turn of the event loop."""
        self._is_scheduled = False
        if self._transport is None or self._transport.is_closing():
            return
        self._dispatch.tick()
        replies = bytearray()
        for _ in range(self._max_queries):
            is_full = len(self._tasks) >= self._max_queries or len(replies) > _WRITTEN_AT_ONCE
            if not self._unread or self._is_clogged or is_full:
                break
            outcome = self._dispatch.stream(self._unread.popleft(), self._host)
            if isinstance(outcome, bytes):
                replies += frame(outcome)
            elif outcome is not None:
                self._wait_for(outcome)
        self._dispatch.settle()
        if replies:
            self._write(self._transport, replies)
        self._steer_reading()
        self._close_if_done()

    def _wait_for(self, outcome: Coroutine[Any, Any, bytes]) -> None:
        task = asyncio.get_running_loop().create_task(outcome)
        self._tasks.add(task)
        task.add_done_callback(self._on_reply)

    def _on_reply(self, task: asyncio.Task[bytes]) -> None:
        self._tasks.discard(task)
        if self._transport is None or self._transport.is_closing() or task.cancelled():
            return
        self._owner.touched(self)
        self._write(self._transport, frame(task.result()))
        self._steer_reading()
        self._close_if_done()

    def _write(self, transport: asyncio.Transport, data: bytes | bytearray) -> None:
        transport.write(data)
        if transport.get_write_buffer_size() > _MAX_UNREAD:
            self.abort()

    def _steer_reading(self) -> None:
        """Read when there is room for what is read; what is not read slows the client down (RFC 7766, 6.2.1)."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._unread and not self._is_scheduled and not self._is_clogged and len(self._tasks) < self._max_queries:
            # Not at once: a row of replies that are ready together would end in as many nested calls.
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._work)
        has_enough = bool(self._unread) or self._is_clogged or len(self._tasks) >= self._max_queries
        if has_enough and not self._is_last:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _close_if_done(self) -> None:
        if self._is_last and not self._tasks and not self._unread and self._transport is not None:
            self._transport.close()


def is_other_protocol(first: bytes) -> bool:
    """Whether the first octets of a connection announce a long message that is no query, such as `GET / HTTP/1.1`.

    Waiting for the 18,245 octets that `GE` promises would only keep the connection until it is idle for too long.
    """
    if len(first) < 8 or int.from_bytes(first[:2], "big") <= _LONG_QUERY:
        return False
    return first[4] & 0x80 != 0 or int.from_bytes(first[6:8], "big") > _PLAUSIBLE_QUESTIONS
