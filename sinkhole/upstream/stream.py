"""Ask an upstream over streams: one shared connection, opened when needed and opened again when lost."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sinkhole.protocol.message import Message
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.connection import IDLE, Connection
from sinkhole.upstream.failure import AlpnRefused, ConnectionEnded, UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Flight, Outcome

_CONNECTIONS_PER_QUERY = 3

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

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer.

        A connection that has worked and is closed under our query, as servers do with idle ones, is replaced and the
        query sent again; the last time over a connection of its own, for servers that close after every answer.

        Raises:
            EdnsRefused: the answer is an error without question, to a query with EDNS.
            UpstreamTimeout: no answer in time.
            UpstreamFailure: no connection, or the answer cannot be used.
        """
        end = asyncio.get_running_loop().time() + budget.time_for(timeout)
        for turn in range(1, _CONNECTIONS_PER_QUERY + 1):
            is_last = turn == _CONNECTIONS_PER_QUERY
            left = end - asyncio.get_running_loop().time()
            connection = await (self._connect(left) if is_last else self._shared_connection(left))
            budget.spend()
            left = end - asyncio.get_running_loop().time()
            try:
                return await connection.ask(ask, left)
            except ConnectionEnded as error:
                if is_last or not connection.has_answered:
                    raise UpstreamFailure("the connection was closed before the answer") from error
            finally:
                if is_last:
                    connection.abort()
        raise AssertionError("the last turn returns or raises")

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
