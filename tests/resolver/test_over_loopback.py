"""The chain with the real forwarder and an upstream on loopback."""

import asyncio
from contextlib import asynccontextmanager

from sinkhole.config.schema import UpstreamSettings
from sinkhole.upstream.forwarder import Forwarder
from tests.fakes import FakeUpstream, answers, silent
from tests.resolver.world import World, ede_of, lines_of, vendor


@asynccontextmanager
async def world_over(handler, **options):
    async with FakeUpstream(handler) as up:
        forwarder = Forwarder(UpstreamSettings(servers=(up.url,), timeout=0.1, tries=2))
        world = World(forwarder=forwarder, **options)
        try:
            yield world, up
        finally:
            await world.chain.close()
            await forwarder.close()


async def test_equal_queries_send_one():
    """R-C04"""
    async with world_over(answers({("example.org", "A"): ["192.0.2.1"]}, delay=0.05)) as (world, up):
        replies = await asyncio.gather(*(world.ask("example.org A") for _ in range(60)))
        assert {tuple(lines_of(reply.answer)) for reply in replies} == {("example.org 300 A 192.0.2.1",)}
        assert len(up.queries) == 1


async def test_cloaked_name_is_blocked_and_blocked_names_stay_inside():
    """R-B06, R-B02"""
    records = {("www.example.org", "CNAME"): ["x.deepseek.example"], ("x.deepseek.example", "A"): ["192.0.2.1"]}
    options = {"vendors": [vendor("deepseek", "deepseek.example")], "policy": ["block vendor:deepseek"]}
    async with world_over(answers(records), **options) as (world, up):
        for name in ("www.example.org", "x.deepseek.example", "www.example.org"):
            assert lines_of((await world.ask(f"{name} A")).answer) == [f"{name} 10 A 0.0.0.0"]
        assert len(up.queries) == 1


async def test_letter_case_of_the_client_comes_back():
    async with world_over(answers({("www.example.org", "A"): ["192.0.2.1"]})) as (world, _):
        for name in ("WWW.example.org", "www.EXAMPLE.org"):
            reply = await world.ask(f"{name} A")
            assert reply.answer[0].name.to_text() == f"{name}."


async def test_silent_upstream_ends_in_servfail_and_then_in_stale():
    """R-C11, R-C20"""
    async with world_over(answers({("example.org", "A"): ["192.0.2.1"]}, ttl=2)) as (world, up):
        await world.ask("example.org A")
        up.handler = silent
        world.clock.advance(3)
        assert ede_of(await world.ask("example.org A")) == [3]
        reply = await world.ask("example.net A")
        assert (reply.rcode(), ede_of(reply)) == (2, [22])
