"""Answers with aliases, denials and service records: each says on the straight path what it says through the chain."""

import dns.message
import pytest

from sinkhole.policy.statement import Group
from tests.transport.asking import question
from tests.transport.straight_rig import CHAINED, HOSTS, UNREAD, make_policy, rigs, upstream

SAID = ("block vendor:deepseek", "monitor domain:watched.example", "allow domain:allowed.example", "block ai for lab")
SETTINGS = (
    {"rebinding": {"enabled": True}},
    {
        "rebinding": {"enabled": True, "allow": ["sub.example"]},
        "cache": {"min_ttl": 20, "max_ttl": 300, "max_negative_ttl": 40, "prefetch": False},
    },
    {"rebinding": {"enabled": False}, "inspection": {"strip_ech": True}, "cache": {"entries": 0}},
)
STRAIGHT = {
    "A": ("links", "three", "most", "never", "toai", "listed", "case", "stray", "auth", "added", "anxd", "anod",
          "above", "nodata", "nx", "sooner", "nxroot", "soans"),
    "HTTPS": ("links", "nodata", "nx", "svc", "hint", "svcalias", "svctwo"),
}  # fmt: skip


def policy():
    return make_policy(*SAID, groups=(Group("lab", (HOSTS[1],)),))


@pytest.mark.parametrize("settings", SETTINGS)
async def test_every_shape_is_as_the_chain_says(settings):
    async with rigs(True, False, policy=policy(), **settings) as (_, straight, long):
        words = [word for word in CHAINED if word not in UNREAD]
        for word in words:
            for kind in ("A", "AAAA", "HTTPS"):
                for name, host in ((f"{word}-1.example", HOSTS[0]), (f"{word}-2.Sub.Example", HOSTS[1])):
                    wire = question(name, kind).to_wire()
                    assert await straight.ask(wire, host) == await long.ask(wire, host), (name, kind)
        for rig in (straight, long):
            rig.clock.now += 6
        for word in words:  # from the answers' cache and from the replies that are kept
            for edns in (True, False):
                wire = question(f"{word}-1.example", use_edns=0 if edns else False).to_wire()
                assert await straight.ask(wire) == await long.ask(wire), word
        assert straight.left() == long.left()


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in STRAIGHT.items() for word in words])
async def test_what_is_plain_needs_no_chain(kind, word):
    async with rigs(True, policy=policy()) as (up, rig):
        await rig.ask(question(f"{word}-1.example", kind).to_wire())
        assert (rig.long, len(up.queries)) == (0, 1)


@pytest.mark.parametrize(
    "word", ["vendor", "watch", "synth", "nolink", "signed", "private1", "loop", "fork", "dangling"]
)
async def test_what_is_not_plain_takes_the_chain(word):
    async with rigs(True, policy=policy(), rebinding={"enabled": True}) as (_, rig):
        await rig.ask(question(f"{word}-1.example").to_wire())
        assert rig.long == 1


async def test_keys_are_taken_out_where_that_is_wanted():
    async with rigs(True, inspection={"strip_ech": True}) as (_, rig):
        reply = dns.message.from_wire(await rig.ask(question("keys-1.example", "HTTPS").to_wire()))
        assert rig.long == 1
        assert not reply.answer[0][0].params


async def test_who_joined_is_judged_for_himself():
    """An alias of a vendor is open to one client and not to the other, and is asked for once."""
    groups, said = (Group("lab", (HOSTS[1],)),), "block vendor:deepseek for lab"
    one = make_policy(said, groups=groups)
    async with rigs(True, policy=one, handler=lambda wire: [(0.05, upstream(wire)[0][1])]) as (up, rig):
        wire = question("vendor-1.example").to_wire()
        waiting = [rig.begin(wire, host) for host in HOSTS]
        replies = [dns.message.from_wire(await reply) for reply in waiting]
        assert [reply.answer[-1][0].address for reply in replies] == ["198.51.100.8", "0.0.0.0"]
        assert len(up.queries) == 1


async def test_alias_is_judged_by_the_policy_in_force_when_it_comes():
    async with rigs(True, policy=make_policy("monitor ai"), handler=lambda w: [(0.05, upstream(w)[0][1])]) as (up, rig):
        waiting = [rig.begin(question("links-1.example", use_edns=edns).to_wire()) for edns in (0, False)]
        rig.box.current = make_policy("block domain:t2.other.example")
        assert [dns.message.from_wire(await one).answer[0][0].address for one in waiting] == ["0.0.0.0"] * 2
        assert len(up.queries) == 1
