"""A site with a bound on connections: others are hung up on, and those that were there are served."""

import asyncio
import contextlib

from aiohttp import web

from sinkhole.app.bounded_site import listen_bounded


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return await asyncio.wait_for(reader.readline(), 5)


async def test_connections_beyond_the_bound_are_hung_up_on():
    """R-P04: half-written requests take no more descriptors than so many."""

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    server = await listen_bounded(runner, "127.0.0.1:0", 3)
    host, port = server.sockets[0].getsockname()
    opened = [await asyncio.open_connection(host, port) for _ in range(3)]
    for _, writer in opened:
        writer.write(b"GET")
    await asyncio.sleep(0.05)
    reader, refused = await asyncio.open_connection(host, port)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    refused.close()
    opened[0][1].close()
    await asyncio.sleep(0.05)
    again = await asyncio.open_connection(host, port)
    assert b"200" in await ask(*again)
    for _, writer in [*opened, again]:
        writer.close()
    server.close()
    await runner.cleanup()
