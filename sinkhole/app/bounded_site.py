"""Listen for HTTP with a bound on connections: one too many is hung up on at once, and takes no descriptor for long."""

import asyncio
import ssl

from aiohttp import web

from sinkhole.transport.addresses import parse_listen


async def listen_bounded(
    runner: web.AppRunner, text: str, most: int, tls: ssl.SSLContext | None = None
) -> asyncio.Server:
    """Serve a site on `ADDRESS:PORT`, to at most `most` connections at once over all of its addresses.

    Raises:
        ListenError: that is no address.
        OSError: it cannot be listened on.
    """
    address = parse_listen(text)
    served = runner.server

    def connected() -> asyncio.BaseProtocol:
        return served() if served is not None and len(served.connections) < most else _Refused()

    return await asyncio.get_running_loop().create_server(
        connected, address.host, address.port, ssl=tls, reuse_address=True
    )


class _Refused(asyncio.Protocol):
    """A connection too many: hung up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up."""
        transport.abort()  # type: ignore[attr-defined]
