"""Ask an upstream over HTTPS (RFC 8484): over HTTP/2, or HTTP/1.1 where it has nothing better."""

import ssl
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sinkhole.protocol.message import Message
from sinkhole.upstream.address import UpstreamAddress, bracketed
from sinkhole.upstream.ask import Ask, Budget
from sinkhole.upstream.connection import Connection
from sinkhole.upstream.failure import AlpnRefused, UpstreamFailure
from sinkhole.upstream.http2 import Http2Exchange
from sinkhole.upstream.stream import Locate, StreamClient

if TYPE_CHECKING:
    from sinkhole.upstream.http1 import Http1Client

_IDLE = 30.0
_OLD_MEMORY = 3600.0
"""Seconds until an upstream that did not speak HTTP/2 is tried with it again."""


class HttpsClient(StreamClient):
    """Ask by POST, all queries over one connection.

    The connection goes to the bootstrapped IP address; name check and authority are those of the URL.

    Args:
        address: the upstream.
        locate: gives its IP address.
        tls: context that verifies its certificate and offers both protocols.
        old_tls: the same for HTTP/1.1 alone.
        clock: monotonic seconds.
    """

    def __init__(
        self, address: UpstreamAddress, locate: Locate, tls: ssl.SSLContext, old_tls: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(locate, address.port, tls=tls, server_name=address.server_name, idle=_IDLE)
        name = bracketed(address.host if not address.is_literal else address.server_name)
        authority = name if address.port == 443 else f"{name}:{address.port}"
        self._make = partial(Http2Exchange, authority=authority, path=address.path)
        self._address = address
        self._authority = authority
        self._old_tls = old_tls
        self._old: Http1Client | None = None
        self._clock = clock
        self._old_until = float("-inf")

    async def ask(self, ask: Ask, budget: Budget, *, timeout: float) -> Message:
        """Send the question and return its answer; as `StreamClient.ask`."""
        if self._clock() >= self._old_until:
            try:
                return await super().ask(ask, budget, timeout=timeout)
            except AlpnRefused:
                self._old_until = self._clock() + _OLD_MEMORY
        if self._old is None:
            # Its library takes 20 MB, and hardly any upstream needs it.
            from sinkhole.upstream.http1 import Http1Client  # noqa: PLC0415

            self._old = Http1Client(self._address, self._locate, self._authority, self._old_tls)
        try:
            return await self._old.ask(ask, budget, timeout=timeout)
        except UpstreamFailure:
            self._old_until = float("-inf")  # it may have learned better
            raise

    async def close(self) -> None:
        """Close all connections."""
        await super().close()
        if self._old is not None:
            await self._old.close()

    def _protocol(self) -> Connection:
        return Connection(self._idle, is_padded=True, make=self._make, alpn="h2")
