"""Rows of policy zones about addresses, in the whole chain: upstreams answer exactly what is judged."""

import pytest

from sinkhole.policy.rule import Match, Rule, RuleAction
from tests.resolver.world import ede_of, lines_of

ZONE = [
    Rule(Match.ADDRESS, "203.0.113.0/24", line=1),
    Rule(Match.ADDRESS, "203.0.113.9/32", RuleAction.ALLOW, line=2),
    Rule(Match.ADDRESS, "2001:db8:113::/48", line=3),
    Rule(Match.EXACT, "passed.example", RuleAction.ALLOW, line=4),
]
LISTED = {"feeds": [("zone", ZONE)], "policy": ["block feed:zone"]}


@pytest.mark.parametrize(
    ("qtype", "data", "line"),
    [
        ("A", "203.0.113.7", 1),
        ("AAAA", "2001:db8:113::7", 3),
        ("HTTPS", "1 . ipv4hint=203.0.113.7", 1),
        ("HTTPS", "1 . ipv4hint=198.51.100.1,203.0.113.7", 1),
        ("SVCB", "1 . ipv6hint=2001:db8:113::7", 3),
    ],
)
async def test_address_in_an_answer_is_judged_by_policy_zones(make_world, qtype, data, line):
    """draft-vixie-dnsop-dns-rpz, section 4.3: from upstream and from cache."""
    world = make_world(**LISTED)
    world.upstream.say(f"www.example.org {qtype}", f"www.example.org 300 {qtype} {data}")
    for _ in range(2):
        answer = await world.answer(f"www.example.org {qtype}")
        assert (answer.is_blocked, answer.verdict.feed, answer.verdict.line) == (True, "zone", line)
    assert world.upstream.asked == [f"www.example.org {qtype}"]


@pytest.mark.parametrize("data", ["198.51.100.7", "203.0.113.9"])
async def test_other_addresses_and_those_let_through_are_answered(make_world, data):
    world = make_world(**LISTED)
    world.upstream.say("www.example.org A", f"www.example.org 300 A {data}")
    assert lines_of((await world.ask("www.example.org")).answer) == [f"www.example.org 300 A {data}"]


async def test_one_address_of_several_is_enough(make_world):
    world = make_world(**LISTED)
    world.upstream.say("www.example.org A", "www.example.org 300 A 198.51.100.7", "www.example.org 300 A 203.0.113.7")
    reply = await world.ask("www.example.org")
    assert lines_of(reply.answer) == ["www.example.org 10 A 0.0.0.0"]
    assert (ede_of(reply), reply.options[0].text) == ([15], "blocked by policy feed:zone")


async def test_name_that_the_zone_lets_through_keeps_its_addresses(make_world):
    """A trigger on the name goes before one on an address, also where the address is behind an alias."""
    world = make_world(**LISTED)
    world.upstream.say("passed.example A", "passed.example 300 A 203.0.113.7")
    assert not (await world.answer("passed.example")).is_blocked
    world.upstream.say("passed.example AAAA", "passed.example 300 CNAME edge.example.net")
    world.upstream.say("edge.example.net AAAA", "edge.example.net 300 AAAA 2001:db8:113::7")
    assert not (await world.answer("passed.example AAAA")).is_blocked
    assert (await world.answer("edge.example.net AAAA")).is_blocked


async def test_statement_on_the_name_goes_before_a_zone(make_world):
    world = make_world(feeds=LISTED["feeds"], policy=["block feed:zone", "allow domain:www.example.org"])
    world.upstream.say("www.example.org A", "www.example.org 300 A 203.0.113.7")
    assert not (await world.answer("www.example.org")).is_blocked


async def test_zone_is_monitored_or_for_a_group_as_its_statement_says(make_world):
    world = make_world(feeds=LISTED["feeds"], policy=["monitor feed:zone"])
    world.upstream.say("www.example.org A", "www.example.org 300 A 203.0.113.7")
    answer = await world.answer("www.example.org")
    assert (answer.is_blocked, str(answer.verdict.action), answer.verdict.feed) == (False, "monitor", "zone")
