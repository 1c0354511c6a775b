"""Serve a site over HTTP to a bounded number of connections, of which nobody has more than a share.

A connection counts from the moment that it is accepted, so that one which never ends its TLS handshake counts too.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from sinkhole.blockpage.connection import Connection
from sinkhole.blockpage.door import Door, DoorLimits
from sinkhole.transport.addresses import bind_tcp, parse_listen

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""Who comes from here may be a proxy, a tunnel or a container's port, with many behind it."""
HANDSHAKE_WITHIN = 5.0
_EVERYBODY = ("0.0.0.0/0", "::/0")


def site_limits(connections: int, per_client: int) -> DoorLimits:
    """Return limits of a site whose connections may be kept open: four times a client's share a second, and a burst."""
    rate = 4 * per_client
    return DoorLimits(rate, 2 * rate, 8 * connections, connections, per_client, None)


class BoundedSite:
    """Listens for a site.

    Args:
        runner: of the site; whoever made it sets it up before, and cleans it up after this is closed.
        limits: of connections.
        many: networks through which many come.
        turned_away: is told, at most once a minute, how many connections were refused since.
        tls: None for plain HTTP.
        options: of the connections, as aiohttp has them; they are not the runner's.
    """

    def __init__(
        self,
        runner: web.AppRunner,
        limits: DoorLimits,
        turned_away: Callable[[int], None],
        many: Sequence[str] = LOOPBACK,
        tls: ssl.SSLContext | None = None,
        **options: Any,
    ) -> None:
        self._runner = runner
        self._door = Door(limits, _EVERYBODY, turned_away, many)
        self._tls = tls
        self._options = options
        self._accepting: dict[asyncio.Task[None], socket.socket] = {}

    def listen(self, text: str) -> str:
        """Serve on `ADDRESS:PORT` from now on; return it with the port that is really bound.

        Raises:
            ListenError: that is no address, or it cannot be listened on.
        """
        sock = bind_tcp(parse_listen(text), reuseport=False)
        self._accepting[asyncio.create_task(self._door.serve(sock, self._enter))] = sock
        host, port = sock.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def stop(self) -> None:
        """Accept nothing more; what is open goes on."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for sock in self._accepting.values():
            sock.close()
        self._accepting.clear()

    async def close(self) -> None:
        """End all that is open; to be called when the runner has let go of what it served."""
        await self.stop()
        await self._door.close()

    async def _enter(self, sock: socket.socket, _client: str, over: Callable[[], None]) -> asyncio.Transport | None:
        server = self._runner.server
        if server is None:
            sock.close()
            return None
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: Connection(server, over, **self._options), sock, ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_WITHIN if self._tls else None,
        )  # fmt: skip
        return transport
