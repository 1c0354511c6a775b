"""Answers that rules of local lists ask for (R-L06 on the way of a query)."""

import asyncio

import dns.rcode
import pytest

from sinkhole.policy.rule import Match, Rule, RuleAction
from tests.resolver.world import ede_of, lines_of, vendor


def rewrites(**texts):
    return [
        Rule(Match.SUFFIX, name.replace("_", "."), RuleAction.REWRITE, rewrite=text, line=line)
        for line, (name, several) in enumerate(texts.items(), 1)
        for text in (several if isinstance(several, list) else [several])
    ]


@pytest.fixture
def listed(make_world):
    def make(*policy, vendors=(), **texts):
        return make_world(
            feeds=[("mine", rewrites(**texts))], local=True, vendors=vendors, policy=["block feed:mine", *policy]
        )

    return make


async def test_records_of_a_rewrite_are_the_answer(listed):
    """R-L06: its types have them, the others have nothing, and nothing leaves."""
    world = listed(x_example=["A 192.0.2.9", "A 192.0.2.8", "TXT a, b"])
    reply = await world.ask("Sub.x.example A")
    assert lines_of(reply.answer) == ["Sub.x.example 10 A 192.0.2.8", "Sub.x.example 10 A 192.0.2.9"]
    assert ede_of(reply) == [4]
    assert lines_of((await world.ask("x.example TXT")).answer) == ['x.example 10 TXT "a, b"']
    nothing = await world.ask("x.example AAAA")
    assert (nothing.rcode(), nothing.answer, len(nothing.authority)) == (dns.rcode.NOERROR, [], 1)
    assert world.upstream.asked == []


@pytest.mark.parametrize("code", ["NXDOMAIN", "REFUSED", "NOERROR", "SERVFAIL"])
async def test_response_code_of_a_rewrite_is_the_answer(listed, code):
    """R-L06"""
    reply = await listed(x_example=code).ask("x.example A")
    assert (dns.rcode.to_text(reply.rcode()), reply.answer) == (code, [])
    assert bool(reply.authority) is (code in ("NXDOMAIN", "NOERROR"))


async def test_alias_of_a_rewrite_is_followed(listed):
    """R-L06: the alias and what is there; the query counts as one that the list blocked."""
    world = listed(x_example="CNAME www.example.org")
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME cdn.example.org")
    world.upstream.say("cdn.example.org A", "cdn.example.org 5 A 192.0.2.1")
    reply = await world.ask("x.example A")
    assert [line.split()[:3] for line in lines_of(reply.answer)] == [
        ["x.example", "10", "CNAME"], ["www.example.org", "300", "CNAME"], ["cdn.example.org", "5", "A"],
    ]  # fmt: skip
    assert lines_of((await world.ask("x.example CNAME")).answer) == ["x.example 10 CNAME www.example.org."]
    assert world.upstream.asked == ["www.example.org A", "cdn.example.org A"]
    assert {(row.name, row.action, row.feed) for row in world.hits.drain(10)} == {("x.example", "block", "mine")}


async def test_alias_to_a_blocked_name_is_blocked(listed):
    """R-B06: also behind the first alias."""
    world = listed("block vendor:deepseek", vendors=[vendor("deepseek", "deepseek.example")],
                   x_example="CNAME a.deepseek.example", y_example="CNAME edge.example.org")  # fmt: skip
    world.upstream.say("edge.example.org A", "edge.example.org 300 CNAME b.deepseek.example")
    for name in ("x.example", "y.example"):
        assert lines_of((await world.ask(f"{name} A")).answer) == [f"{name} 10 A 0.0.0.0"]
    assert world.upstream.asked == ["edge.example.org A"]


async def test_aliases_lead_to_other_rewrites_but_not_in_circles(listed):
    """R-C22"""
    world = listed(
        x_example="CNAME y.example", y_example="A 192.0.2.9", a_example="CNAME b.example", b_example="CNAME a.example"
    )
    lines = lines_of((await world.ask("x.example A")).answer)
    assert lines == ["x.example 10 CNAME y.example.", "y.example 10 A 192.0.2.9"]
    assert (await world.ask("a.example A")).rcode() == dns.rcode.SERVFAIL
    assert world.upstream.asked == []


async def test_domain_that_is_sent_to_one_name_in_it(listed):
    """R-L06: `||example.org^$dnsrewrite=safe.example.org` truly asks for that one name."""
    world = listed(example_org="CNAME safe.example.org")
    world.upstream.say("safe.example.org A", "safe.example.org 300 A 192.0.2.1")
    assert len((await world.ask("www.example.org A")).answer) == 2
    assert lines_of((await world.ask("safe.example.org A")).answer) == ["safe.example.org 300 A 192.0.2.1"]


async def test_own_alias_to_a_rewritten_name_keeps_its_chain(make_world):
    world = make_world(feeds=[("mine", rewrites(x_example="A 192.0.2.9"))], local=True, policy=["block feed:mine"],
                       records=["own.example CNAME x.example"])  # fmt: skip
    assert lines_of((await world.ask("own.example A")).answer)[1] == "x.example 10 A 192.0.2.9"


async def test_rewrite_that_cannot_be_written_ends_in_servfail(listed):
    assert (await listed(x_example="MX nonsense").ask("x.example MX")).rcode() == dns.rcode.SERVFAIL


async def test_policy_that_rewrites_while_an_upstream_is_asked_blocks(listed):
    world = listed("allow domain:x.example", x_example="CNAME y.example")
    world.upstream.say("x.example A", "x.example 300 A 192.0.2.1")
    world.upstream.open.clear()
    task = asyncio.ensure_future(world.ask("x.example A"))
    while not world.upstream.asked:
        await asyncio.sleep(0)
    world.swap("block feed:mine")
    world.upstream.open.set()
    assert lines_of((await task).answer) == ["x.example 10 A 0.0.0.0"]
