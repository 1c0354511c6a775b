"""The straight path where something is odd: policy changes on the way, nothing can leave, queries are strange."""

import asyncio
import struct

import dns.message

from sinkhole.policy.statement import Group
from sinkhole.upstream import burst
from sinkhole.upstream.burst import MOST
from sinkhole.upstream.turn import TURN
from tests.transport.asking import question
from tests.transport.straight_rig import HOSTS, make_policy, rigs, upstream


def late(wire):
    return [(0.05, upstream(wire)[0][1])]


def address(wire):
    return dns.message.from_wire(wire).answer[0][0].address


async def test_client_is_judged_by_the_groups_of_the_policy_in_force():
    groups, said = (Group("lab", (HOSTS[0],)),), "block domain:late.example for lab"
    async with rigs(True, False, policy=make_policy("monitor ai"), handler=late) as (_, straight, long):
        for rig in (straight, long):
            waiting = rig.begin(question("one-1.late.example").to_wire())
            rig.box.current = make_policy(said, groups=groups)
            assert address(await waiting) == "0.0.0.0"
            rig.box.current = make_policy("monitor ai")
        assert straight.left() == long.left()


async def test_client_that_has_left_a_group_is_not_judged_by_it():
    groups, said = (Group("lab", (HOSTS[0],)),), "block domain:late.example for lab"
    async with rigs(True, policy=make_policy("monitor ai", groups=groups), handler=late) as (_, rig):
        waiting = rig.begin(question("one-1.late.example").to_wire())
        rig.box.current = make_policy(said, groups=(Group("lab", (HOSTS[1],)),))
        assert address(await waiting) == "198.51.100.7"


async def test_what_cannot_leave_is_told_to_each_of_a_full_burst(monkeypatch):
    class Broken:
        def __init__(self, *_):
            raise OSError(24, "too many open files")

    async with rigs(True) as (up, rig):
        with monkeypatch.context() as patched:
            patched.setattr(burst.socket, "SocketType", Broken)
            TURN.begin()
            replies = [rig.begin(question(f"one-{number}.example").to_wire()) for number in range(MOST)]
            TURN.end()
            for wire in await asyncio.wait_for(asyncio.gather(*replies), 5):
                assert dns.message.from_wire(wire).rcode() == 2
        assert not rig.chain.straight.coalesce.flights
        assert rig.forwarder._limits.waiting == 0
        assert up.queries == []


async def test_name_of_no_label_is_written_as_the_chain_writes_it():
    async with rigs(True, False) as (_, straight, long):
        wire = question(".").to_wire()
        assert await straight.ask(wire) == await long.ask(wire)


async def test_record_that_points_into_the_name_is_read_anew_in_each_query():
    """Behind a name of other labels the same pointer leads to the middle of one."""
    pointing = b"\xc0\x14" + struct.pack("!HHIH", 16, 1, 0, 0)
    async with rigs(True, False) as (_, straight, long):
        for name in ("one-101.example", "one-1.x3.example"):  # at octet 20 a label begins, and does not
            wire = question(name, use_edns=False).to_wire()
            wire = wire[:10] + b"\0\1" + wire[12:] + pointing
            assert await straight.ask(wire) == await long.ask(wire)
