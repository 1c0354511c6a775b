"""HTTP and HTTPS over connections that the door let in: one request each, short headers, short bodies."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sinkhole.blockpage.connection import Connection
from sinkhole.blockpage.door import reset
from sinkhole.blockpage.handshake import CONNECTION, Handshakes

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
MOST_LINE = 16_384
"""Octets of the request line and of one header: cookies of the blocked site may be long."""
_LINGERING = 1.0
_HANDSHAKE_WITHIN = 5.0


class Server:
    """Serves connections.

    Args:
        handle: answers a request.
        handshakes: answers TLS handshakes.
        seconds: that a connection may last.
    """

    def __init__(self, handle: Handle, handshakes: Handshakes, seconds: float) -> None:
        self._manager = web.Server(handle, handler_cancellation=True)
        self._handshakes = handshakes
        self._options: dict[str, Any] = {
            "keepalive_timeout": seconds, "tcp_keepalive": False,
            "max_line_size": MOST_LINE, "max_field_size": MOST_LINE, "lingering_time": _LINGERING,
            "read_bufsize": 2**14,
        }  # fmt: skip
        self._seconds = seconds

    async def enter_http(self, sock: socket.socket, _client: str, over: Callable[[], None]) -> asyncio.Transport | None:
        """Serve one connection in the clear; `over` is called when it ends."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: self._connection(over), sock)
        return transport

    async def enter_https(self, sock: socket.socket, client: str, over: Callable[[], None]) -> asyncio.Transport | None:
        """Serve one connection over TLS; without an authority it is reset at once.

        Raises:
            OSError: the handshake failed.
        """
        context = self._handshakes.context()
        if context is None:
            reset(sock)
            return None
        CONNECTION.set((client, sock))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(
            lambda: self._connection(over), sock, ssl=context,
            ssl_handshake_timeout=min(_HANDSHAKE_WITHIN, self._seconds), ssl_shutdown_timeout=_LINGERING,
        )  # fmt: skip
        return transport

    def _connection(self, over: Callable[[], None]) -> Connection:
        return Connection(self._manager, over, **self._options)
