"""One connection to an upstream, TCP or TLS, that many queries share (RFC 7766, section 6.2.1)."""

import asyncio
from collections.abc import Callable
from typing import cast

from sinkhole.errors import FormError
from sinkhole.protocol.message import Message
from sinkhole.upstream.ask import Ask, padded
from sinkhole.upstream.deadlines import Deadlines
from sinkhole.upstream.exchange import Exchange, FramedExchange, Rest, Write
from sinkhole.upstream.failure import ConnectionEnded
from sinkhole.upstream.flight import Flight
from sinkhole.upstream.ready import ready_of
from sinkhole.upstream.turn import TURN

Make = Callable[[asyncio.AbstractEventLoop, Deadlines, Write, Rest], Exchange]
IDLE = 20.0
"""Seconds an unused connection is kept; servers that want it shorter close it themselves."""
_MOST_UNSENT = 1_000_000
"""Octets that may wait for the other side to read, thousands of queries: one that makes us write and reads nothing is
done without."""
_SOON = 0.001
"""Seconds by which event loops may wake up early."""


class Connection(asyncio.Protocol):
    """Send queries as they come and match the answers, in whatever order they arrive, by id and question.

    Args:
        idle: seconds it is kept without queries.
        is_padded: whether queries say as little as possible by their length.
        make: makes what sends and reads on it.
        alpn: what must have been agreed on to be spoken; None: that does not matter.

    Attributes:
        is_foreign: whether something else was agreed on, so that nothing may be asked.
    """

    def __init__(
        self, idle: float = IDLE, *, is_padded: bool = False, make: Make = FramedExchange, alpn: str | None = None
    ) -> None:
        self._is_padded = is_padded
        self._alpn = alpn
        self.is_foreign = False
        self._idle_after = idle
        self._loop = asyncio.get_running_loop()
        self._exchange = make(self._loop, ready_of(self._loop).deadlines, self._write, self._rest)
        # There once the connection is made, before anyone gets hold of it.
        self._transport: asyncio.Transport
        self._idle: asyncio.TimerHandle | None = None
        self._rests_since = 0.0
        self.closed = asyncio.Event()

    @property
    def is_usable(self) -> bool:
        """Say whether new queries may use it."""
        return not (self._exchange.is_retired or self._transport.is_closing())

    @property
    def has_answered(self) -> bool:
        """Say whether it has ever carried an answer; if so, its end says nothing about the upstream's health."""
        return self._exchange.answers > 0

    async def ask(self, ask: Ask, timeout: float) -> Message:
        """Send a query and wait for its answer.

        Raises:
            ConnectionEnded: the connection was lost meanwhile.
            EdnsRefused: the answer is an error without question, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: the answer cannot be used.
        """
        if self._transport.is_closing():
            raise ConnectionEnded("the connection is closed")
        flight = Flight(ask.question.name, ask.edns)
        self.put(flight, *ask.frame(), timeout)
        return await flight

    def put(self, flight: Flight, head: bytes, tail: bytes, seconds: float) -> None:
        """Send a query; it must be usable.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it.
            seconds: to wait.
        """
        if self._is_padded and flight.edns:
            tail = padded(head, flight.name, tail)
        self._exchange.put(flight, head, tail, seconds)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (asyncio)."""
        self._transport = cast(asyncio.Transport, transport)
        tls = transport.get_extra_info("ssl_object")
        if self._alpn is not None and (tls is None or tls.selected_alpn_protocol() != self._alpn):
            self.is_foreign = True
            self.abort()
            return
        self._exchange.begin()
        self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits (asyncio)."""
        self.closed.set()
        if self._idle is not None:
            self._idle.cancel()
        TURN.run(self._exchange.end)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived (asyncio)."""
        TURN.begin()
        try:
            self._exchange.feed(data)
        except FormError:
            self.abort()
        finally:
            TURN.end()

    def _write(self, octets: bytes) -> None:
        if self._transport.is_closing():
            return  # who waits is told by `connection_lost`
        self._transport.write(octets)
        if self._transport.get_write_buffer_size() > _MOST_UNSENT:
            self.abort()

    def _rest(self) -> None:
        if self._transport.is_closing():
            return
        if self._exchange.is_retired:
            self.abort()
            return
        self._rests_since = self._loop.time()
        if self._idle is None:
            self._idle = self._loop.call_later(self._idle_after, self._end_rest)

    def _end_rest(self) -> None:
        self._idle = None
        left = self._rests_since + self._idle_after - self._loop.time()
        if self._exchange.flights:
            return
        if left <= _SOON:
            self.abort()
        else:
            self._idle = self._loop.call_later(left, self._end_rest)
