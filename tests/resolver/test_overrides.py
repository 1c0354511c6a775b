"""What goes before statements, against an upstream that returns exactly the chain in question; and coached names."""

import pytest

from sinkhole.config.schema import BlockingSettings
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode, Verdict
from sinkhole.resolver.blocked import block_answer
from sinkhole.resolver.inspection import weigh
from tests.policy.world import override
from tests.resolver.world import ede_of, lines_of, vendor

VENDORS = (vendor("deepseek", "deepseek.example"), vendor("other", "other.example"))
ALIAS = "www.example.org 60 CNAME chat.deepseek.example"
ADDRESS = "chat.deepseek.example 60 A 192.0.2.1"
PAGE = "192.0.2.250"


def world_of(make_world, policy: list[str], *overrides: str, **more):
    world = make_world(
        vendors=VENDORS, policy=policy, overrides=[override(one, n) for n, one in enumerate(overrides, 1)], **more
    )
    world.upstream.say("chat.deepseek.example A", ADDRESS)
    return world


async def outcome(world, name: str, **options) -> tuple[str, str | None]:
    verdict = (await world.answer(name, **options)).verdict
    return str(verdict.action), verdict.override


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(
    ("policy", "overrides", "expected"),
    [
        (["block ai"], ["exception vendor:deepseek"], ("monitor", "exception:1")),
        (["block domain:deepseek.example"], ["exception vendor:deepseek"], ("monitor", "exception:1")),
        (["block ai"], ["exception domain:www.example.org"], ("monitor", "exception:1")),
        (["coach ai"], ["exception domain:example.org"], ("monitor", "exception:1")),
        (["block ai"], ["pause"], ("monitor", "pause:1")),
        (["block ai"], ["exception vendor:other"], ("block", None)),
        (["allow domain:www.example.org"], ["lockdown vendor:deepseek"], ("block", "lockdown:1")),
        (["block ai"], ["lockdown ai", "exception domain:www.example.org", "pause"], ("block", "lockdown:1")),
        (["block ai"], ["lockdown domain:www.example.org"], ("block", "lockdown:1")),
        (["block ai", "allow domain:www.example.org"], ["exception domain:www.example.org"], ("allow", None)),
    ],
)
async def test_alias_of_a_blocked_name(make_world, is_whole, policy, overrides, expected):
    """R-B02: whether the upstream gives the whole chain or its first link alone."""
    world = world_of(make_world, policy, *overrides)
    world.upstream.say("www.example.org A", ALIAS, *([ADDRESS] if is_whole else []))
    assert await outcome(world, "www.example.org") == expected
    reply = await world.ask("www.example.org")
    if expected[0] == "block":
        assert lines_of(reply.answer) == ["www.example.org 10 A 0.0.0.0"]
    else:
        assert lines_of(reply.answer) == ["www.example.org 60 CNAME chat.deepseek.example.", ADDRESS]


async def test_address_and_service_target_behind_an_exception(make_world):
    overrides = ("exception domain:www.example.org",)
    world = world_of(make_world, ["block address:192.0.2.0/24", "block ai"], *overrides)
    for name in ("www.example.org", "free.example.org"):
        world.upstream.say(f"{name} A", f"{name} 60 A 192.0.2.1")
        world.upstream.say(f"{name} HTTPS", f"{name} 60 HTTPS 1 chat.deepseek.example. ipv4hint=198.51.100.1")
    for qtype in ("A", "HTTPS"):
        assert await outcome(world, f"www.example.org {qtype}") == ("monitor", "exception:1")
        assert await outcome(world, f"free.example.org {qtype}") == ("block", None)


async def test_client_of_an_exception_is_alone_with_it_and_with_its_cached_answer(make_world):
    world = make_world(vendors=VENDORS, policy=["block ai"], overrides=[override("exception ai", client="192.0.2.7")])
    world.upstream.say("chat.deepseek.example A", ADDRESS)
    for _ in range(2):
        assert await outcome(world, "chat.deepseek.example", client="192.0.2.7") == ("monitor", "exception:1")
        assert await outcome(world, "chat.deepseek.example", client="192.0.2.8") == ("block", None)


async def test_hits_name_the_override(make_world):
    world = world_of(make_world, ["block ai"], "pause")
    await world.answer("chat.deepseek.example")
    (row,) = world.hits.drain(9)
    assert (row.action, row.subject, row.vendor) == ("monitor", "pause:1", "deepseek")


@pytest.mark.parametrize("mode", ["address", "nxdomain", "nodata", "refused"])
async def test_coached_name_leads_to_the_page_whatever_the_mode(make_world, mode):
    how = block_answer(BlockingSettings(mode=mode, ipv4=PAGE))
    world = world_of(make_world, ["coach vendor:deepseek", "block vendor:other"], how=how)
    reply = await world.ask("chat.deepseek.example A")
    assert lines_of(reply.answer) == [f"chat.deepseek.example 10 A {PAGE}"]
    assert (reply.rcode(), ede_of(reply)) == (0, [15])
    assert reply.options[0].text == (
        "deepseek is blocked by policy vendor:deepseek; you may go on after reading the notice"
    )
    for qtype in ("AAAA", "HTTPS", "TXT"):
        other = await world.ask(f"chat.deepseek.example {qtype}")
        assert (other.rcode(), other.answer, len(other.authority)) == (0, [], 1)
    blocked = await world.ask("other.example A")
    assert bool(blocked.answer) is (mode == "address")
    rows = {row.name: row.action for row in world.hits.drain(99)}
    assert rows == {"chat.deepseek.example": "coach", "other.example": "block"}


async def test_coached_name_without_a_page_is_answered_as_a_blocked_one(make_world):
    world = world_of(make_world, ["coach ai"], how=block_answer(BlockingSettings(mode="nxdomain")))
    reply = await world.ask("chat.deepseek.example")
    assert (reply.rcode(), reply.options[0].text) == (3, "deepseek is blocked by policy ai")


async def test_page_of_a_group(make_world):
    groups = [Group("lab", ("192.0.2.0/24",), answer=BlockAnswer(BlockMode.REFUSED, "192.0.2.99", None))]
    world = world_of(make_world, ["coach ai"], groups=groups)
    assert lines_of((await world.ask("chat.deepseek.example")).answer) == ["chat.deepseek.example 10 A 192.0.2.99"]
    reply = await world.ask("chat.deepseek.example", client="198.51.100.1")
    assert lines_of(reply.answer) == ["chat.deepseek.example 10 A 0.0.0.0"]


async def test_alias_of_a_coached_name_is_coached(make_world):
    world = world_of(make_world, ["coach ai"])
    world.upstream.say("www.example.org A", ALIAS, ADDRESS)
    assert await outcome(world, "www.example.org") == ("coach", None)


@pytest.mark.parametrize(
    ("asked", "target", "wins"),
    [
        (Verdict(Action.ALLOW, "domain:a.example"), Verdict(Action.BLOCK, "ai", override="lockdown:1"), "target"),
        (Verdict(Action.ALLOW, "domain:a.example"), Verdict(Action.MONITOR, "ai", override="pause:1"), "asked"),
        (
            Verdict(Action.BLOCK, "ai", override="lockdown:1"),
            Verdict(Action.BLOCK, "ai", override="lockdown:2"),
            "asked",
        ),
        (Verdict(Action.COACH, "ai"), Verdict(Action.BLOCK, "vendor:b"), "target"),
        (Verdict(Action.MONITOR, "ai", override="pause:1"), Verdict(Action.COACH, "vendor:b"), "target"),
    ],
)
def test_lockdown_of_a_target_is_outweighed_by_nothing(asked, target, wins):
    assert weigh(asked, target) is (target if wins == "target" else asked)
