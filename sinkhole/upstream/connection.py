"""One stream to an upstream, TCP or TLS, that many queries share (RFC 7766, section 6.2.1)."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import cast

from sinkhole.errors import FormError
from sinkhole.protocol.framing import FrameReader, frame
from sinkhole.protocol.message import Message, read_message
from sinkhole.upstream.ask import Ask
from sinkhole.upstream.failure import ConnectionEnded, EdnsRefused, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.matching import Match, is_truncated, match, with_name

IDLE = 20.0
"""Seconds an unused connection is kept; servers that want it shorter close it themselves."""


@dataclass(frozen=True, slots=True)
class _Pending:
    ask: Ask
    sent: bytes
    answer: asyncio.Future[Message]


class Connection(asyncio.Protocol):
    """Send queries as they come and match the answers, in whatever order they arrive, by id and question.

    Args:
        idle: seconds it is kept without queries.
    """

    def __init__(self, idle: float = IDLE) -> None:
        self._idle_after = idle
        self._loop = asyncio.get_running_loop()
        self._frames = FrameReader()
        self._pending: dict[int, _Pending] = {}
        # Both are there once the connection is made, before anyone gets hold of it.
        self._transport: asyncio.Transport
        self._idle: asyncio.TimerHandle
        self._answers = 0
        self._is_retired = False
        self.closed = asyncio.Event()

    @property
    def is_usable(self) -> bool:
        """Say whether new queries may use it."""
        return not (self._is_retired or self._transport.is_closing())

    @property
    def has_answered(self) -> bool:
        """Say whether it has ever carried an answer; if so, its end says nothing about the upstream's health."""
        return self._answers > 0

    async def ask(self, ask: Ask, timeout: float, *, is_padded: bool) -> Message:
        """Send a query and wait for its answer.

        Raises:
            ConnectionEnded: the connection was lost meanwhile.
            EdnsRefused: the answer is an error without question, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: the answer cannot be used.
        """
        if self._transport.is_closing():
            raise ConnectionEnded("the connection is closed")
        self._idle.cancel()
        message_id = self._free_id()
        pending = _Pending(ask, ask.to_wire(message_id, is_padded=is_padded), self._loop.create_future())
        self._pending[message_id] = pending
        answers_before = self._answers
        timer = self._loop.call_later(timeout, _expire, pending.answer)
        self._transport.write(frame(pending.sent))
        try:
            return await pending.answer
        except UpstreamTimeout:
            # Silence to everyone since this query went out: a dead path. New queries take a new connection.
            self._is_retired = self._is_retired or self._answers == answers_before
            raise
        finally:
            timer.cancel()
            del self._pending[message_id]
            self._rest()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        self._transport = cast(asyncio.Transport, transport)
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits (asyncio)."""
        self.closed.set()
        self._idle.cancel()
        for pending in self._pending.values():
            if not pending.answer.done():
                pending.answer.set_exception(ConnectionEnded("the connection was closed before the answer"))

    def data_received(self, data: bytes) -> None:
        """Take what has arrived (asyncio)."""
        try:
            for wire in self._frames.feed(data):
                self._take(wire)
        except FormError:
            self.abort()

    def _take(self, got: bytes) -> None:
        pending = self._pending.get(int.from_bytes(got[:2]))
        if pending is None or pending.answer.done():
            return
        name = pending.ask.question.name
        verdict = match(pending.sent, len(name), got)
        if verdict is Match.OTHER or (verdict is Match.BARE and not pending.ask.edns):
            return
        self._answers += 1
        if verdict is Match.BARE:
            pending.answer.set_exception(EdnsRefused("an error without a question"))
        elif is_truncated(got):
            pending.answer.set_exception(UpstreamFailure("an answer was truncated over a stream"))
        else:
            # The letter case is no secret here: a stream cannot be forged from off its path.
            try:
                pending.answer.set_result(read_message(with_name(got, name)))
            except FormError:
                pending.answer.set_exception(UpstreamFailure("an answer could not be read"))

    def _rest(self) -> None:
        if self._pending or self._transport.is_closing():
            return
        if self._is_retired:
            self.abort()
        else:
            self._idle = self._loop.call_later(self._idle_after, self.abort)

    def _free_id(self) -> int:
        while (message_id := secrets.randbits(16)) in self._pending:
            pass
        return message_id


def _expire(answer: asyncio.Future[Message]) -> None:
    if not answer.done():
        answer.set_exception(UpstreamTimeout("no answer in time"))
