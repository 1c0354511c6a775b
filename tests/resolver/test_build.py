from dataclasses import replace

import pytest

from sinkhole.errors import ConfigError
from tests.resolver.world import World


def test_all_wrong_records_and_zones_are_reported_at_once():
    zones = [{"zone": "example.org", "servers": ["192.0.2.1"]}, {"zone": "a..b", "servers": ["192.0.2.1"]}]
    with pytest.raises(ConfigError) as caught:
        World(records=["a.example A 192.0.2.1", "b.example A 192.0.2.300", "nonsense"], upstream={"zones": zones})
    paths = [mistake.partition(":")[0] for mistake in caught.value.mistakes]
    assert paths == ["upstream.zones[1].zone", "records[1]", "records[2]"]


async def test_upstream_sees_who_asks_and_the_flags(make_world):
    world = make_world()
    await world.ask("example.org A", client="2001:db8::5", do=True, cd=True)
    assert (world.upstream.clients, world.upstream.flags) == (["2001:db8::5"], [(True, True)])


async def test_explained_query_names_the_losers(make_world):
    world = make_world(policy=["block domain:example.org", "allow domain:example.org"])
    answer = await world.chain(replace(world.query("example.org"), explain=True))
    assert [loser.subject for loser in answer.verdict.losers] == ["domain:example.org"]


async def test_blocked_own_and_special_names_are_answered_at_once(make_world):
    world = make_world(policy=["block domain:blocked.example"], records=["printer.example.org A 192.0.2.9"])

    for name in ("x.blocked.example A", "printer.example.org A", "localhost A", "x.onion A"):
        prompt = world.chain.at_once(world.query(name))
        assert prompt is not None, name
        assert prompt.body == (await world.answer(name)).body
    assert world.upstream.asked == []


async def test_what_must_wait_is_not_answered_at_once_and_not_counted(make_world):
    world = make_world(policy=["monitor domain:example.org"])

    assert world.chain.at_once(world.query("example.org A")) is None

    assert world.hits.drain(10) == []
    assert world.upstream.asked == []


async def test_answers_at_once_are_counted(make_world):
    world = make_world(policy=["block domain:blocked.example"])

    world.chain.at_once(world.query("blocked.example A"))

    assert [(row.name, row.count) for row in world.hits.drain(10)] == [("blocked.example", 1)]
