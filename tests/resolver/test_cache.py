import asyncio
from dataclasses import replace

import dns.flags
import pytest

from sinkhole.errors import UpstreamError
from sinkhole.resolver.answer import Source
from sinkhole.upstream.failure import UpstreamBusy, UpstreamTimeout
from tests.resolver.world import ede_of, lines_of, vendor

SOA = "example.org 3600 SOA ns.example.org. admin.example.org. 1 3600 600 86400 120"


async def test_ttls_count_down_and_end(make_world):
    """R-C14: a record never outlives its own TTL."""
    world = make_world()
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    for seconds, shown in ((0, 300), (1, 299), (268.5, 31), (29.5, 1)):
        world.clock.advance(seconds)
        assert (await world.ask("example.org A")).answer[0].ttl == shown
    await world.refreshed()
    asked = len(world.upstream.asked)
    world.clock.advance(301)
    assert (await world.ask("example.org A")).answer[0].ttl == 300
    assert len(world.upstream.asked) == asked + 1


async def test_least_ttl_of_a_chain_ends_all_of_it(make_world):
    """R-C14"""
    world = make_world(cache={"stale": 0, "prefetch": False})
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME x.example", "x.example 5 A 192.0.2.1")
    assert (await world.answer("www.example.org")).ttl == 5
    world.clock.advance(5)
    await world.ask("www.example.org")
    assert len(world.upstream.asked) == 2


@pytest.mark.parametrize(("ttl", "shown"), [(2**31 - 1, 86_400), (2**31 + 5, 0), (604_800, 86_400)])
async def test_ttls_are_capped(make_world, ttl, shown):
    """R-C14: the top bit makes a TTL 0 (RFC 2181, section 8)."""
    world = make_world()
    world.upstream.say("example.org A", f"example.org {ttl} A 192.0.2.1")
    assert (await world.ask("example.org A")).answer[0].ttl == shown


async def test_ttl_zero_is_not_reused(make_world):
    """R-C14"""
    world = make_world()
    world.upstream.say("example.org A", "example.org 0 A 192.0.2.1")
    assert (await world.answer("example.org A")).ttl == 0
    await world.ask("example.org A")
    assert len(world.upstream.asked) == 2


async def test_min_ttl_raises_short_ones(make_world):
    world = make_world(cache={"min_ttl": 60})
    world.upstream.say("example.org A", "example.org 0 A 192.0.2.1")
    assert (await world.ask("example.org A")).answer[0].ttl == 60
    await world.ask("example.org A")
    assert len(world.upstream.asked) == 1


async def test_max_ttl_is_obeyed(make_world):
    world = make_world(cache={"max_ttl": 10})
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    assert (await world.ask("example.org A")).answer[0].ttl == 10


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
async def test_denial_lives_as_its_soa_says(make_world, rcode):
    """R-C15: RFC 2308, section 5."""
    world = make_world(cache={"stale": 0})
    world.upstream.say("no.example.org A", rcode=rcode, authority=[SOA])
    reply = await world.ask("no.example.org A")
    assert lines_of(reply.authority)[0].startswith("example.org 120 SOA")
    world.clock.advance(100)
    reply = await world.ask("no.example.org A")
    assert reply.authority[0].ttl == 20
    assert len(world.upstream.asked) == 1
    world.clock.advance(20)
    await world.ask("no.example.org A")
    assert len(world.upstream.asked) == 2


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
async def test_denial_without_soa_is_not_kept(make_world, rcode):
    """R-C15"""
    world = make_world()
    world.upstream.say("no.example.org A", rcode=rcode)
    for _ in range(2):
        assert (await world.answer("no.example.org A")).ttl == 0
    assert len(world.upstream.asked) == 2


async def test_max_negative_ttl_is_obeyed(make_world):
    world = make_world(cache={"max_negative_ttl": 7})
    world.upstream.say("no.example.org A", rcode="NXDOMAIN", authority=[SOA])
    assert (await world.ask("no.example.org A")).authority[0].ttl == 7


async def test_nodata_of_one_type_does_not_hide_another(make_world):
    """R-C16"""
    world = make_world()
    world.upstream.say("example.org AAAA", authority=[SOA])
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    assert not (await world.ask("example.org AAAA")).answer
    assert (await world.ask("example.org A")).answer


async def test_nxdomain_behind_a_cname_keeps_chain_and_rcode(make_world):
    """R-C16: RFC 6604."""
    world = make_world()
    world.upstream.say(
        "www.example.org A", "www.example.org 300 CNAME no.example.org", rcode="NXDOMAIN", authority=[SOA]
    )
    for _ in range(2):
        reply = await world.ask("www.example.org A")
        assert (reply.rcode(), len(reply.answer), len(reply.authority)) == (3, 1, 1)
    assert len(world.upstream.asked) == 1


async def test_failure_is_remembered_for_seconds(make_world):
    """R-C17: RFC 9520."""
    world = make_world()
    world.upstream.say("example.org A", rcode="SERVFAIL")
    for _ in range(5):
        reply = await world.ask("example.org A")
        assert reply.rcode() == 2
    assert ede_of(reply) == [22, 13]
    assert len(world.upstream.asked) == 1
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    world.clock.advance(5)
    assert (await world.ask("example.org A")).answer
    assert (await world.ask("example.org A")).rcode() == 0


async def test_failure_ttl_is_a_setting(make_world):
    """R-C17"""
    world = make_world(cache={"failure_ttl": 30})
    world.upstream.fail("example.org A", UpstreamTimeout("no upstream answered"))
    await world.ask("example.org A")
    world.clock.advance(29)
    assert ede_of(await world.ask("example.org A")) == [22, 13]
    assert len(world.upstream.asked) == 1


async def test_full_house_is_no_failure_of_the_name(make_world):
    world = make_world()
    world.upstream.fail("example.org A", UpstreamBusy("too many queries"))
    for _ in range(2):
        assert (await world.ask("example.org A")).rcode() == 2
    assert len(world.upstream.asked) == 2


async def test_key_is_folded_name_type_do_and_cd(make_world):
    """R-C18, R-W20"""
    world = make_world()
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    for text, options in (
        ("example.org A", {}), ("eXample.ORG A", {}), ("example.org A", {"edns": False}),
        ("example.org A", {"ad": True}),
        ("example.org A", {"do": True}), ("example.org A", {"cd": True}), ("example.org A", {"cd": True, "do": True}),
    ):  # fmt: skip
        for _ in range(2):
            reply = await world.ask(text, **options)
            assert reply.answer[0].name.to_text() == text.split()[0] + "."
    assert world.upstream.flags == [(False, False), (True, False), (False, True), (True, True)]


async def test_transports_share_entries(make_world):
    """R-C18: sizes are applied on output."""
    world = make_world()
    world.upstream.say("example.org TXT", *(f"example.org 300 TXT {n}{'x' * 200}" for n in range(9)))
    over_udp = world.query("example.org TXT")
    for query in (over_udp, replace(over_udp, is_stream=True), over_udp):
        assert len((await world.chain(query)).body.answer) == 9
    assert len(world.upstream.asked) == 1


async def test_signatures_of_a_do_client_never_reach_a_plain_one(make_world):
    """R-W20"""
    world = make_world()
    rrsig = "A 8 2 300 20300101000000 20200101000000 1 example.org. AAAA"
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1", f"example.org 300 RRSIG {rrsig}")
    assert len((await world.ask("example.org A", do=True)).answer) == 2
    assert len((await world.ask("example.org A")).answer) == 1


@pytest.mark.parametrize(
    ("trust", "options", "shown"),
    [(False, {"ad": True}, False), (True, {"ad": True}, True), (True, {"do": True}, True), (True, {}, False)],
)
async def test_ad_needs_trust_and_a_client_that_asks(make_world, trust, options, shown):
    """R-W21: RFC 6840, sections 5.7 and 5.8."""
    world = make_world(upstream={"trust_ad": trust})
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1", flags="AD")
    for _ in range(2):
        reply = await world.ask("example.org A", **options)
        assert bool(reply.flags & dns.flags.AD) is shown


async def test_cache_can_be_off(make_world):
    world = make_world(cache={"entries": 0})
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.1")
    for _ in range(2):
        await world.ask("example.org A")
    assert len(world.upstream.asked) == 2


async def test_stale_answer_only_when_the_refresh_fails(make_world):
    """R-C20: RFC 8767."""
    world = make_world()
    world.upstream.say("example.org A", "example.org 2 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(3)
    world.upstream.fail("example.org A")
    answer = await world.answer("example.org A")
    assert (answer.stale, answer.source, answer.ttl) == (True, Source.STALE, None)
    reply = await world.ask("example.org A")
    assert (lines_of(reply.answer), ede_of(reply)) == (["example.org 30 A 192.0.2.1"], [3])
    assert len(world.upstream.asked) == 2, "the failure is remembered, nobody is asked again for it"
    world.clock.advance(6)
    world.upstream.say("example.org A", "example.org 2 A 192.0.2.2")
    assert lines_of((await world.ask("example.org A")).answer) == ["example.org 2 A 192.0.2.2"]


async def test_stale_nxdomain_says_so(make_world):
    """R-C20: RFC 8914, section 4.20."""
    world = make_world(cache={"stale_ttl": 5})
    world.upstream.say("no.example.org A", rcode="NXDOMAIN", authority=[SOA])
    await world.ask("no.example.org A")
    world.clock.advance(130)
    world.upstream.say("no.example.org A", rcode="SERVFAIL")
    reply = await world.ask("no.example.org A")
    assert (reply.rcode(), ede_of(reply), reply.authority[0].ttl) == (3, [19], 5)


async def test_stale_ends_after_its_time_and_can_be_off(make_world):
    """R-C20"""
    for stale, seconds in ((0, 3), (100, 103)):
        world = make_world(cache={"stale": stale})
        world.upstream.say("example.org A", "example.org 2 A 192.0.2.1")
        await world.ask("example.org A")
        world.clock.advance(seconds)
        world.upstream.fail("example.org A")
        assert (await world.ask("example.org A")).rcode() == 2


async def test_client_does_not_wait_longer_than_told_for_a_refresh(make_world):
    """R-C20: the slow answer is kept when it comes."""
    world = make_world(cache={"stale_after": 0})
    world.upstream.say("example.org A", "example.org 2 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(3)
    world.upstream.open.clear()
    world.upstream.say("example.org A", "example.org 300 A 192.0.2.2")
    answers = await asyncio.gather(*(world.ask("example.org A") for _ in range(3)))
    assert [ede_of(reply) for reply in answers] == [[3], [3], [3]]
    world.upstream.open.set()
    await world.refreshed()
    assert lines_of((await world.ask("example.org A")).answer) == ["example.org 300 A 192.0.2.2"]
    assert len(world.upstream.asked) == 2


async def test_fresh_answer_that_may_not_be_kept_replaces_the_stale_one(make_world):
    world = make_world()
    world.upstream.say("example.org A", "example.org 2 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(3)
    world.upstream.say("example.org A", "example.org 0 A 192.0.2.2")
    assert lines_of((await world.ask("example.org A")).answer) == ["example.org 0 A 192.0.2.2"]
    world.upstream.fail("example.org A")
    assert (await world.ask("example.org A")).rcode() == 2


async def test_blocked_name_is_never_served_stale_or_refreshed(make_world):
    """R-C20, R-B02"""
    world = make_world(vendors=[vendor("deepseek", "deepseek.example")])
    world.upstream.say("deepseek.example A", "deepseek.example 100 A 192.0.2.1")
    await world.ask("deepseek.example A")
    world.swap("block vendor:deepseek")
    for seconds in (95, 10):  # in its last tenth, and past its end
        world.clock.advance(seconds)
        assert (await world.answer("deepseek.example A")).is_blocked
    assert len(world.upstream.asked) == 1


async def test_stale_chain_to_a_name_blocked_since_is_blocked(make_world):
    """R-C20, R-B06"""
    world = make_world(vendors=[vendor("deepseek", "deepseek.example")])
    world.upstream.say(
        "www.example.org A", "www.example.org 2 CNAME deepseek.example", "deepseek.example 2 A 192.0.2.1"
    )
    await world.ask("www.example.org A")
    world.clock.advance(3)
    world.upstream.fail("www.example.org A")
    assert (await world.answer("www.example.org A")).stale
    world.swap("block vendor:deepseek")
    assert (await world.answer("www.example.org A")).is_blocked


async def test_popular_answer_is_refreshed_ahead_of_its_end(make_world):
    world = make_world()
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.1")
    first = await world.answer("example.org A")
    assert first.ttl == 90, "the packet cache must let a question through in the last tenth"
    world.clock.advance(89)
    await world.ask("example.org A")
    await world.refreshed()
    assert len(world.upstream.asked) == 1
    world.clock.advance(2)
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.2")
    due = await world.answer("example.org A")
    assert (due.ttl, due.body.answer[0].ttl) == (1.0, 9)
    await world.refreshed()
    assert lines_of((await world.ask("example.org A")).answer) == ["example.org 100 A 192.0.2.2"]


async def test_failed_refresh_ahead_keeps_the_answer_for_its_life(make_world):
    world = make_world()
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(95)
    world.upstream.fail("example.org A")
    await world.ask("example.org A")
    await world.refreshed()
    assert lines_of((await world.ask("example.org A")).answer) == ["example.org 5 A 192.0.2.1"]


async def test_prefetch_can_be_off(make_world):
    world = make_world(cache={"prefetch": False})
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.1")
    assert (await world.answer("example.org A")).ttl == 100
    world.clock.advance(99)
    assert (await world.answer("example.org A")).ttl == 1
    assert len(world.upstream.asked) == 1


async def test_cached_local_and_blocked_names_are_answered_while_upstreams_are_out(make_world):
    """R-C27"""
    world = make_world(policy=["block domain:deepseek.example"], records=["nas.home.arpa A 192.0.2.9"])
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.1")
    await world.ask("example.org A")
    world.upstream.open.clear()
    waiting = [asyncio.create_task(world.answer(f"{n}.example.net")) for n in range(150)]
    while len(world.upstream.asked) < 151:
        await asyncio.sleep(0)
    async with asyncio.timeout(1):
        for name in ("example.org", "nas.home.arpa", "deepseek.example"):
            assert (await world.ask(name)).answer
    world.upstream.open.set()
    assert {(await task).body.rcode for task in waiting} == {3}


async def test_wall_clock_has_no_part_in_lifetimes(make_world):
    """R-D10: the only clock of the cache is the monotonic one that is passed in."""
    world = make_world(cache={"prefetch": False})
    world.upstream.say("example.org A", "example.org 100 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(99.9)
    await world.ask("example.org A")
    assert len(world.upstream.asked) == 1
    world.clock.advance(0.1)
    await world.ask("example.org A")
    assert len(world.upstream.asked) == 2


async def test_exception_in_a_refresh_leaves_the_stale_answer(make_world, caplog):
    world = make_world()
    world.upstream.say("example.org A", "example.org 2 A 192.0.2.1")
    await world.ask("example.org A")
    world.clock.advance(3)
    world.upstream.fail("example.org A", RuntimeError("bug"))
    assert (await world.answer("example.org A")).stale
    assert "cache.refresh_failed" in caplog.text


async def test_error_text_of_an_upstream_goes_to_the_client(make_world):
    world = make_world()
    world.upstream.fail("example.org A", UpstreamError("no upstream answered"))
    assert (await world.ask("example.org A")).options[0].text == "no upstream answered"
