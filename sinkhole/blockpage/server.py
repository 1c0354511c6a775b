"""HTTP and HTTPS over connections that the door let in: one request each, short headers, short bodies."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from sinkhole.blockpage.door import reset
from sinkhole.blockpage.handshake import CONNECTION, Handshakes

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
MOST_LINE = 16_384
"""Octets of the request line and of one header: cookies of the blocked site may be long."""
_LINGERING = 1.0
_HANDSHAKE_WITHIN = 5.0

_SILENT = logging.getLogger("sinkhole.blockpage.silent")
_SILENT.disabled = True
"""What clients send wrong is not news, and a flood of it must not fill a disk."""


class _Connection(web.RequestHandler):  # type: ignore[type-arg, misc, unused-ignore]
    """A connection that says when it is over, and answers what it cannot read with a bare status."""

    def __init__(self, manager: web.Server, over: Callable[[], None], **options: Any) -> None:  # type: ignore[type-arg, unused-ignore]
        super().__init__(manager, loop=asyncio.get_running_loop(), **options)
        self._over = over

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note the end."""
        super().connection_lost(exc)
        self._over()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer a request that cannot be read; what it said is not repeated."""
        if isinstance(exc, LineTooLong):
            status = 431
        elif isinstance(exc, BadHttpMessage):
            status = 400
        response = web.Response(status=status, headers={"Cache-Control": "no-store"})
        response.force_close()
        return response


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
            "access_log": None, "logger": _SILENT, "keepalive_timeout": seconds, "tcp_keepalive": False,
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

    def _connection(self, over: Callable[[], None]) -> _Connection:
        return _Connection(self._manager, over, **self._options)
