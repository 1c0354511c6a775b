"""A site with a bound on connections: others are reset at once, and those that were there are served."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from sinkhole.app.bounded_site import LOOPBACK, BoundedSite, site_limits
from sinkhole.errors import ListenError
from tests.feeds.certificate import self_signed


@asynccontextmanager
async def served(most=8, of_client=3, many=LOOPBACK, tls=None):
    """Give what connects to the site, and what it tells of connections that were turned away."""

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    turned_away: list[int] = []
    writers: list[asyncio.StreamWriter] = []
    site = BoundedSite(runner, site_limits(most, of_client), turned_away.append, many, tls)
    try:
        yield Clients(int(site.listen("127.0.0.1:0").rpartition(":")[2]), writers), turned_away
    finally:
        for writer in writers:
            writer.transport.abort()
        await site.stop()
        await runner.cleanup()
        await site.close()


@dataclass
class Clients:
    port: int
    writers: list[asyncio.StreamWriter]

    async def connect(self, source="127.0.0.1", **options):
        found = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0), **options)
        self.writers.append(found[1])
        return found


async def is_served(reader, writer) -> bool:
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        return b"200" in await asyncio.wait_for(reader.readline(), 5)
    except ConnectionResetError:
        return False


async def test_one_client_has_its_share_and_no_more():
    """R-P04: half-written requests of one take no place from another."""
    async with served(many=()) as (clients, turned_away):
        mine = [await clients.connect() for _ in range(3)]
        mine[1][1].write(b"GET")
        assert not await is_served(*await clients.connect())
        assert await is_served(*await clients.connect("127.0.0.2"))
        assert await is_served(*mine[0])
        assert turned_away == [1]


async def test_place_is_free_again_when_a_connection_ends():
    async with served(many=()) as (clients, _):
        mine = [await clients.connect() for _ in range(3)]
        mine[0][1].write(b"GET / HTTP/1.0\r\n\r\n")
        assert b"200" in await asyncio.wait_for(mine[0][0].readline(), 5)
        await asyncio.wait_for(mine[0][0].read(), 5)  # to its end
        assert await is_served(*await clients.connect())


async def test_all_together_are_bounded():
    async with served(most=4, many=()) as (clients, _):
        held = [await clients.connect(f"127.0.0.{number}") for number in range(1, 5)]
        assert not await is_served(*await clients.connect("127.0.0.9"))
        assert await is_served(*held[0])


async def test_proxy_has_many_behind_it_and_leaves_room_for_others():
    async with served(many=("127.0.0.2/32",)) as (clients, _):
        held = [await clients.connect("127.0.0.2") for _ in range(7)]
        assert await is_served(*held[-1])
        assert not await is_served(*await clients.connect("127.0.0.2"))
        assert await is_served(*await clients.connect("127.0.0.3"))


async def test_handshake_that_never_ends_counts(tmp_path):
    _, trusting = self_signed(tmp_path, "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "localhost.pem")
    async with served(many=(), tls=tls) as (clients, _):
        for _ in range(3):
            await clients.connect()
        assert not await is_served(*await clients.connect())
        secure = await clients.connect("127.0.0.2", ssl=trusting, server_hostname="localhost")
        assert await is_served(*secure)


async def test_address_that_is_taken_is_said_so():
    async with served() as (clients, _):
        runner = web.AppRunner(web.Application())
        with pytest.raises(ListenError, match="holds the port"):
            BoundedSite(runner, site_limits(1, 1), lambda _: None).listen(f"127.0.0.1:{clients.port}")
