"""A connection over HTTP that says when it is over, and answers what it cannot read with a bare status."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

_SILENT = logging.getLogger("sinkhole.blockpage.silent")
_SILENT.disabled = True
"""What clients send wrong is not news, and a flood of it must not fill a disk."""
_QUIET: dict[str, Any] = {"access_log": None, "logger": _SILENT}
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": "sinkhole"}


class Connection(web.RequestHandler):  # type: ignore[type-arg, misc, unused-ignore]
    """One connection.

    Args:
        manager: has all of them.
        over: called when it ends.
        options: of aiohttp.
    """

    def __init__(self, manager: web.Server, over: Callable[[], None], **options: Any) -> None:  # type: ignore[type-arg, unused-ignore]
        super().__init__(manager, loop=asyncio.get_running_loop(), **(_QUIET | options))
        self._over = over

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note the end."""
        super().connection_lost(exc)
        self._over()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer a request that cannot be read; neither what it said nor what reads it is told."""
        if isinstance(exc, LineTooLong):
            status = 431
        elif isinstance(exc, BadHttpMessage):
            status = 400
        response = web.Response(status=status, headers=_HEADERS)
        response.force_close()
        return response
