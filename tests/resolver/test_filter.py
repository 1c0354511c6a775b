import asyncio
import itertools

import pytest

from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.resolver.answer import Source
from sinkhole.resolver.inspection import weigh
from tests.resolver.world import lines_of, vendor

DEEPSEEK = (vendor("deepseek", "deepseek.example"),)
POLICY = {"vendors": DEEPSEEK, "policy": ["block vendor:deepseek"]}
CLOAKED = ("www.example.org 300 CNAME edge.example.net", "edge.example.net 60 CNAME chat.deepseek.example")


@pytest.mark.parametrize(
    ("name", "is_blocked"),
    [
        ("deepseek.example", True),
        ("a.b.deepseek.example", True),
        ("DeepSeek.EXAMPLE", True),
        ("deepseek.example.", True),
        ("notdeepseek.example", False),
        ("deep-deepseek.example", False),
        ("deepseek.example.org", False),
        ("example", False),
        (r"\255\000.deepseek.example", True),
    ],
)
async def test_suffix_matches_at_label_borders_in_any_case(make_world, name, is_blocked):
    """R-B04, R-B05"""
    assert (await make_world(**POLICY).answer(name)).is_blocked is is_blocked


async def test_exact_feed_row_matches_the_name_alone(make_world):
    """R-B04"""
    world = make_world(feeds=[("list", [Rule(Match.EXACT, "ads.example")])], policy=["block feed:list"])
    assert (await world.answer("ads.example")).is_blocked
    assert not (await world.answer("x.ads.example")).is_blocked


async def test_idn_rule_matches_its_a_label(make_world):
    """R-B05"""
    world = make_world(vendors=(vendor("b", "xn--bcher-kva.example"),), policy=["block vendor:b"])
    assert (await world.answer("www.xn--bcher-kva.example")).is_blocked


@pytest.mark.parametrize("qtype", ["A", "AAAA", "TXT", "MX"])
async def test_chain_that_ends_in_a_blocked_name_is_blocked_and_not_shown(make_world, qtype):
    """R-B06: from network and from cache, for every type, NODATA included."""
    world = make_world(**POLICY)
    soa = "deepseek.example 300 SOA ns.deepseek.example. x. 1 2 3 4 60"
    world.upstream.say(f"www.example.org {qtype}", *CLOAKED, authority=[soa])
    for _ in range(2):
        reply = await world.ask(f"www.example.org {qtype}")
        assert all(line.split()[1:] == ["10", qtype, line.split()[3]] for line in lines_of(reply.answer))
        assert "deepseek.example" not in reply.to_text().replace("policy vendor:deepseek", "")
    assert world.upstream.asked == [f"www.example.org {qtype}"]


async def test_middle_of_a_long_chain_is_checked(make_world):
    """R-B06"""
    world = make_world(**POLICY)
    names = ["www.example.org", "a.example", "b.example", "x.deepseek.example", "c.example", "d.example"]
    chain = [f"{a} 300 CNAME {b}" for a, b in itertools.pairwise(names)]
    world.upstream.say("www.example.org A", *chain, "d.example 300 A 192.0.2.1")
    answer = await world.answer("www.example.org")
    assert answer.verdict.via == "x.deepseek.example"
    assert answer.verdict.vendor == "deepseek"


async def test_dname_owner_and_target_are_checked(make_world):
    """R-B06"""
    world = make_world(**POLICY)
    world.upstream.say(
        "www.example.org A", "example.org 300 DNAME deepseek.example", "www.deepseek.example 60 A 192.0.2.1"
    )
    assert (await world.answer("www.example.org")).is_blocked


async def test_feed_rows_never_judge_a_chain(make_world):
    world = make_world(feeds=[("list", [Rule(Match.SUFFIX, "cdn.example")])], policy=["block feed:list"])
    world.upstream.say("www.example.org A", "www.example.org 300 CNAME x.cdn.example", "x.cdn.example 60 A 192.0.2.1")
    assert not (await world.answer("www.example.org")).is_blocked
    assert (await world.answer("x.cdn.example")).is_blocked


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize("data", ["0 x.deepseek.example.", "1 x.deepseek.example. alpn=h2"])
async def test_service_target_is_checked(make_world, qtype, data):
    """R-B07"""
    world = make_world(**POLICY)
    world.upstream.say(f"www.example.org {qtype}", f"www.example.org 300 {qtype} {data}")
    reply = await world.ask(f"www.example.org {qtype}")
    assert (reply.rcode(), reply.answer, len(reply.authority)) == (0, [], 1)


@pytest.mark.parametrize("hint", ["ipv4hint=192.0.2.66", "ipv6hint=2001:db8::66"])
async def test_service_hints_are_checked(make_world, hint):
    """R-B07"""
    world = make_world(policy=["block address:192.0.2.64/26", "block address:2001:db8::66"])
    world.upstream.say("www.example.org HTTPS", f"www.example.org 300 HTTPS 1 . {hint}")
    world.upstream.say("ok.example.org HTTPS", "ok.example.org 300 HTTPS 1 . ipv4hint=192.0.2.1")
    assert (await world.answer("www.example.org HTTPS")).is_blocked
    assert not (await world.answer("ok.example.org HTTPS")).is_blocked


@pytest.mark.parametrize(("qtype", "address"), [("A", "192.0.2.66"), ("AAAA", "2001:db8::66")])
async def test_addresses_in_answers_are_checked(make_world, qtype, address):
    world = make_world(policy=["block address:192.0.2.64/26", "block address:2001:db8::66"])
    world.upstream.say(f"www.example.org {qtype}", f"www.example.org 300 {qtype} {address}")
    answer = await world.answer(f"www.example.org {qtype}")
    assert answer.is_blocked
    assert answer.verdict.via == address


async def test_unreadable_service_record_is_a_failure(make_world):
    world = make_world(**POLICY)
    world.upstream.say(
        "www.example.org HTTPS", r"www.example.org 300 TYPE65300 \# 3 0001ff", replace=(b"\xff\x14", b"\x00\x41")
    )
    answer = await world.answer("www.example.org HTTPS")
    assert (answer.source, answer.body.rcode) == (Source.ERROR, 2)


async def test_unknown_types_pass_byte_for_byte(make_world):
    """R-W12"""
    world = make_world()
    world.upstream.say("x.example.org TYPE65300", r"x.example.org 300 TYPE65300 \# 6 00ffc00c2e0a")
    reply = await world.ask("x.example.org TYPE65300")
    assert reply.answer[0][0].data == bytes.fromhex("00ffc00c2e0a")
    world.upstream.say("x.example.org HTTPS", "x.example.org 300 HTTPS 1 . key65400=abc")
    reply = await world.ask("x.example.org HTTPS")
    assert lines_of(reply.answer) == ['x.example.org 300 HTTPS 1 . key65400="abc"']


async def test_cached_answer_obeys_new_policy(make_world):
    """R-C21"""
    world = make_world(vendors=DEEPSEEK)
    world.upstream.say("www.deepseek.example A", "www.deepseek.example 300 A 192.0.2.1")
    world.upstream.say("www.example.org A", *CLOAKED, "chat.deepseek.example 60 A 192.0.2.1")
    for name in ("www.deepseek.example", "www.example.org"):
        world.swap()
        assert lines_of((await world.ask(name)).answer)[-1].endswith("A 192.0.2.1")
        world.swap("block vendor:deepseek")
        assert lines_of((await world.ask(name)).answer) == [f"{name} 10 A 0.0.0.0"]
        world.swap()
        assert lines_of((await world.ask(name)).answer)[-1].endswith("A 192.0.2.1")
    assert len(world.upstream.asked) == 2


async def test_groups_share_the_cache_and_are_judged_apart(make_world):
    """R-C21"""
    pupils = Group("pupils", ("192.0.2.64/26",))
    world = make_world(vendors=DEEPSEEK, groups=[pupils], policy=["block vendor:deepseek @pupils"])
    world.upstream.say("www.example.org A", *CLOAKED, "chat.deepseek.example 60 A 192.0.2.1")
    assert not (await world.answer("www.example.org", client="192.0.2.1")).is_blocked
    assert (await world.answer("www.example.org", client="192.0.2.70")).is_blocked
    assert len(world.upstream.asked) == 1


@pytest.mark.parametrize("name", ["www.deepseek.example", "www.example.org"])
async def test_policy_swapped_while_the_upstream_is_asked_judges_the_answer(make_world, name):
    """R-C21"""
    world = make_world(vendors=DEEPSEEK)
    world.upstream.say("www.deepseek.example A", "www.deepseek.example 300 A 192.0.2.1")
    world.upstream.say("www.example.org A", *CLOAKED, "chat.deepseek.example 60 A 192.0.2.1")
    world.upstream.open.clear()
    asking = asyncio.create_task(world.answer(name))
    while not world.upstream.asked:
        await asyncio.sleep(0)
    world.swap("block vendor:deepseek")
    world.upstream.open.set()
    assert (await asking).is_blocked


async def test_monitored_name_is_answered_truly(make_world):
    world = make_world(vendors=DEEPSEEK, policy=["monitor vendor:deepseek"])
    world.upstream.say("www.example.org A", *CLOAKED, "chat.deepseek.example 60 A 192.0.2.1")
    answer = await world.answer("www.example.org")
    assert (answer.verdict.action, answer.verdict.vendor, len(answer.body.answer)) == (Action.MONITOR, "deepseek", 3)


async def test_allowed_name_may_lead_to_a_blocked_vendor(make_world):
    world = make_world(vendors=DEEPSEEK, policy=["block vendor:deepseek", "allow domain:www.example.org"])
    world.upstream.say("www.example.org A", *CLOAKED, "chat.deepseek.example 60 A 192.0.2.1")
    assert not (await world.answer("www.example.org")).is_blocked


@pytest.mark.parametrize(
    ("asked", "target", "wins"),
    [
        (Verdict(Action.ALLOW), Verdict(Action.BLOCK, "ai"), "target"),
        (Verdict(Action.ALLOW, "vendor:a"), Verdict(Action.BLOCK, "ai"), "asked"),
        (Verdict(Action.ALLOW, "vendor:a"), Verdict(Action.BLOCK, "vendor:b"), "target"),
        (Verdict(Action.ALLOW, "vendor:a"), Verdict(Action.BLOCK, "domain:b.example"), "target"),
        (Verdict(Action.MONITOR, "domain:a.example"), Verdict(Action.BLOCK, "vendor:b"), "asked"),
        (Verdict(Action.ALLOW, "domain:a.example"), Verdict(Action.BLOCK, "address:192.0.2.1"), "asked"),
        (Verdict(Action.ALLOW, "product:a/b"), Verdict(Action.BLOCK, "address:192.0.2.1"), "target"),
        (Verdict(Action.MONITOR, "ai"), Verdict(Action.ALLOW, "domain:b.example"), "asked"),
        (Verdict(Action.ALLOW), Verdict(Action.ALLOW, vendor="b"), "asked"),
    ],
)
def test_more_specific_statement_on_the_name_asked_outweighs_its_target(asked, target, wins):
    assert weigh(asked, target) is (target if wins == "target" else asked)
