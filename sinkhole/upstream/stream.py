"""Ask an upstream over streams: one shared connection, opened when needed and opened again when lost."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sinkhole.protocol.message import Message
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.connection import IDLE, Connection
from sinkhole.upstream.failure import ENDED, AlpnRefused, ConnectionEnded, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Flight, Outcome

_SHARED_PER_QUERY = 2
"""Shared connections that a query tries; the next is its own."""
_MOST_ALONE = 50
"""Connections of single queries at once: of an upstream that closes after each answer, most of them wait for such."""

Locate = Callable[[], Awaitable[str]]
"""Return the IP address to connect to."""


class StreamClient:
    """Ask over TCP, or TLS when there is a context for it.

    Args:
        locate: gives the IP address.
        port: port of the upstream.
        tls: context that verifies the certificate; None: plain TCP.
        server_name: name the certificate must have.
        idle: seconds an unused connection is kept.
    """

    def __init__(
        self,
        locate: Locate,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
        idle: float = IDLE,
    ) -> None:
        self._idle = idle
        self._locate = locate
        self._port = port
        self._tls = tls
        self._server_name = server_name
        self._shared: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._open: set[Connection] = set()
        self._places_alone = asyncio.Semaphore(_MOST_ALONE)

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer.

        A connection that has worked and is closed under our query, as servers do with idle ones, is replaced and the
        query sent again; the last time over a connection of its own, for servers that close after every answer.

        Raises:
            EdnsRefused: the answer is an error without question, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no connection, or the answer cannot be used.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + budget.time_for(timeout)
        for _ in range(_SHARED_PER_QUERY):
            connection = await self._shared_connection(end - loop.time())
            budget.spend()
            try:
                return await connection.ask(ask, end - loop.time())
            except ConnectionEnded as error:
                if not connection.has_answered:
                    raise UpstreamFailure(ENDED) from error
        async with self._place_alone(end - loop.time()):
            return await self._ask_alone(ask, budget, end)

    def put(self, flight: Flight, head: bytes, tail: bytes, timeout: float) -> bool:
        """Send a query, given in pieces, if there is a connection that works; return whether there is.

        Args:
            flight: of its name.
            head, tail: what stands before the name in the query, the id apart, and after it, with an OPT record.
            timeout: seconds to wait.
        """
        connection = self._shared
        if connection is None or not connection.is_usable or not connection.has_answered:
            return False
        connection.put(flight, head, tail, timeout)
        return True

    async def finish(self, ask: Ask, budget: Budget, outcome: Outcome, *, timeout: float) -> Message:
        """Return what came of a query that was put in; ask once more if its connection ended before the answer.

        Raises:
            EdnsRefused, UpstreamTimeout, UpstreamFailure: as `ask`.
        """
        if isinstance(outcome, Message):
            return outcome
        if not isinstance(outcome, ConnectionEnded):
            raise outcome
        if not outcome.left:
            raise UpstreamTimeout("no answer in time")
        return await self.ask(ask, budget, timeout=min(timeout, outcome.left))

    async def close(self) -> None:
        """Close all connections."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        for connection in tuple(self._open):
            connection.abort()
            await connection.closed.wait()

    async def _ask_alone(self, ask: Ask, budget: Budget, end: float) -> Message:
        """Ask over a connection of its own; `end` is in loop time."""
        loop = asyncio.get_running_loop()
        budget.spend()
        connection = await self._connect(end - loop.time())
        try:
            return await connection.ask(ask, end - loop.time())
        except ConnectionEnded as error:
            raise UpstreamFailure(ENDED) from error
        finally:
            connection.abort()

    @asynccontextmanager
    async def _place_alone(self, seconds: float) -> AsyncIterator[None]:
        async with _timeout(seconds):
            await self._places_alone.acquire()
        try:
            yield
        finally:
            self._places_alone.release()

    async def _shared_connection(self, seconds: float) -> Connection:
        if self._shared is not None and self._shared.is_usable:
            return self._shared
        is_first = self._connecting is None
        if self._connecting is None:
            # With a time-out of its own: a network that comes back must not wait for an attempt made without it.
            self._connecting = asyncio.get_running_loop().create_task(self._connect(seconds))
            self._connecting.add_done_callback(self._connected)
        # Whoever began it waits for its very end, so that the next try does not join what is about to fail.
        async with _timeout(None if is_first else seconds):
            # Shielded: one query that is cancelled must not take the connection from those who wait for it too.
            return await asyncio.shield(self._connecting)

    def _protocol(self) -> Connection:
        """Return what speaks on a new connection."""
        return Connection(self._idle, is_padded=self._tls is not None)

    def _connected(self, task: asyncio.Task[Connection]) -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._shared = task.result()

    async def _connect(self, seconds: float) -> Connection:
        async with _timeout(seconds):
            host = await self._locate()
            loop = asyncio.get_running_loop()
            try:
                _, connection = await loop.create_connection(
                    self._protocol,
                    host, self._port, ssl=self._tls, server_hostname=self._server_name,
                )  # fmt: skip
            except ssl.SSLCertVerificationError as error:
                raise UpstreamFailure("the certificate of the upstream is not valid") from error
            except OSError as error:
                raise UpstreamFailure("no connection to the upstream") from error
        if connection.is_foreign:
            raise AlpnRefused("the upstream does not speak the protocol that it should")
        self._open = {other for other in self._open if not other.closed.is_set()} | {connection}
        return connection


@asynccontextmanager
async def _timeout(seconds: float | None) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise UpstreamTimeout("no connection in time") from error
