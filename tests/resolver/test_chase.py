import asyncio
import itertools
from dataclasses import replace

import pytest

from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.reply import ReplyBody
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.chase import Chase
from sinkhole.upstream.ask import Packets
from tests.resolver.world import ede_of, lines_of, vendor

SOA = "example.org 300 SOA ns.example.org. x. 1 2 3 4 60"


def give_one_at_a_time(world, links, end="192.0.2.1"):
    names = ["www.example.org", *(f"l{n}.example" for n in range(links))]
    for name, target in itertools.pairwise(names):
        world.upstream.say(f"{name} A", f"{name} 300 CNAME {target}")
    world.upstream.say(f"{names[-1]} A", f"{names[-1]} 100 A {end}")


@pytest.mark.parametrize("links", [1, 8])
async def test_chain_given_one_link_at_a_time_is_completed(make_world, links):
    """R-C22"""
    world = make_world()
    give_one_at_a_time(world, links)
    answer = await world.answer("www.example.org A")
    assert (len(answer.body.answer), answer.ttl) == (links + 1, 90)
    assert len(world.upstream.asked) == links + 1
    await world.ask("www.example.org A")
    assert len(world.upstream.asked) == links + 1, "each link is kept"


async def test_signed_link_is_followed(make_world):
    rrsig = "CNAME 8 2 300 20300101000000 20200101000000 1 example.org. AAAA"
    world = make_world()
    world.upstream.say("a.example.org A", "a.example.org 300 CNAME b.example.org", f"a.example.org 300 RRSIG {rrsig}")
    world.upstream.say("b.example.org A", "b.example.org 300 A 192.0.2.1")
    reply = await world.ask("a.example.org A", do=True)
    assert [line.split()[2] for line in lines_of(reply.answer)] == ["CNAME", "RRSIG", "A"]


async def test_endless_chain_costs_a_bounded_number_of_queries(make_world):
    """R-C22, R-C10"""
    world = make_world()
    give_one_at_a_time(world, 30)
    reply = await world.ask("www.example.org A")
    assert (reply.rcode(), ede_of(reply)) == (2, [0])
    assert len(world.upstream.asked) <= 20


async def test_parts_that_are_too_long_together_end_in_servfail(make_world):
    """R-C22"""
    world = make_world()
    names = ["www.example.org", *(f"l{n}.example" for n in range(20))]
    links = [f"{a} 300 CNAME {b}" for a, b in itertools.pairwise(names)]
    world.upstream.say("www.example.org A", *links[:10])
    world.upstream.say("l9.example A", *links[10:], "l19.example 300 A 192.0.2.1")
    assert (await world.ask("www.example.org A")).rcode() == 2


async def test_loop_over_several_answers_ends_in_servfail(make_world):
    """R-C22"""
    world = make_world()
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME b.example")
    world.upstream.say("b.example A", "b.example 300 CNAME www.example.org")
    assert (await world.ask("www.example.org A")).rcode() == 2
    assert len(world.upstream.asked) == 2


async def test_blocked_link_is_never_asked_for(make_world):
    """R-B02, R-B06: the filter sees each link before it leaves."""
    world = make_world(vendors=[vendor("deepseek", "deepseek.example")], policy=["block vendor:deepseek"])
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME a.example")
    world.upstream.say("a.example A", "a.example 300 CNAME x.deepseek.example")
    reply = await world.ask("www.example.org A")
    assert lines_of(reply.answer) == ["www.example.org 10 A 0.0.0.0"]
    assert world.upstream.asked == ["www.example.org A", "a.example A"]


async def test_link_that_is_allowed_by_the_name_asked_is_followed(make_world):
    world = make_world(
        vendors=[vendor("deepseek", "deepseek.example")],
        policy=["block vendor:deepseek", "allow domain:www.example.org"],
    )
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME x.deepseek.example")
    world.upstream.say("x.deepseek.example A", "x.deepseek.example 300 A 192.0.2.1")
    assert len((await world.ask("www.example.org A")).answer) == 2


async def test_link_is_judged_when_it_turns_out_blocked_by_its_address(make_world):
    world = make_world(policy=["block address:192.0.2.66"])
    give_one_at_a_time(world, 2, end="192.0.2.66")
    reply = await world.ask("www.example.org A")
    assert lines_of(reply.answer) == ["www.example.org 10 A 0.0.0.0"]


async def test_denial_at_the_end_belongs_to_the_end(make_world):
    """R-C16: RFC 6604, section 3."""
    world = make_world()
    world.upstream.say("www.example.net A", "www.example.net 300 CNAME no.example.org")
    world.upstream.say("no.example.org A", rcode="NXDOMAIN", authority=[SOA])
    reply = await world.ask("www.example.net A")
    assert (reply.rcode(), len(reply.answer), reply.authority[0].ttl) == (3, 1, 60)


async def test_failure_at_the_end_is_the_answer(make_world):
    world = make_world()
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME b.example")
    world.upstream.fail("b.example A")
    reply = await world.ask("www.example.org A")
    assert (reply.rcode(), reply.answer) == (2, [])


async def test_stale_link_makes_the_whole_stale(make_world):
    """R-C20"""
    world = make_world()
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME b.example")
    world.upstream.say("b.example A", "b.example 2 A 192.0.2.1")
    await world.ask("www.example.org A")
    world.clock.advance(3)
    world.upstream.fail("b.example A")
    answer = await world.answer("www.example.org A")
    assert (answer.stale, answer.ttl, [ede.code for ede in answer.body.ede]) == (True, None, [3])


async def test_slow_chain_ends_in_servfail(make_world):
    """R-C11: the deadline is for all links together."""
    world = make_world()

    async def forward(query):
        if query.origin is not None:
            await asyncio.Event().wait()
        link = Record(query.question.name, 5, 1, 300, name_from_text("b.example"))
        return Answer(ReplyBody(0, (link,)), None, 300)

    answer = await Chase(world.box, deadline=0.01)(world.query("www.example.org A"), forward)
    assert (answer.body.rcode, answer.body.ede[0].code) == (2, 22)


async def test_links_of_a_chain_share_the_messages_of_one_query(make_world):
    """R-C10: and a link that found none left is not remembered as dead, since others may want it."""
    world = make_world()
    give_one_at_a_time(world, 3)
    query = replace(world.query("www.example.org A"), packets=Packets(3))
    assert (await world.chain(query)).body.rcode == 2
    assert len(world.upstream.asked) == 3
    assert len((await world.answer("l2.example A")).body.answer) == 1


@pytest.mark.parametrize("changes", [1, 9])
async def test_links_judged_by_an_old_policy_are_judged_again(make_world, changes):
    """R-C21: a chain that is followed while the policy changes is answered by the new one, or not at all."""
    world = make_world()
    left = changes

    async def forward(query):
        nonlocal left
        blocked = world.box.current.decide(query.question.key, 1, query.client.scope, query.when).is_blocked
        if blocked:
            return Answer(ReplyBody(0), None, 10, source=Source.BLOCKED)
        if query.origin is None:
            return Answer(
                ReplyBody(0, (Record(query.question.name, 5, 1, 300, name_from_text("b.example")),)), None, 300
            )
        if left:
            left -= 1
            world.swap("block domain:www.example.org" if changes == 1 else "monitor domain:c.example")
        return Answer(ReplyBody(0, (Record(query.question.name, 1, 1, 300, b"\xc0\x00\x02\x01"),)), None, 300)

    answer = await Chase(world.box)(world.query("www.example.org A"), forward)
    assert answer.source is (Source.BLOCKED if changes == 1 else Source.ERROR)
