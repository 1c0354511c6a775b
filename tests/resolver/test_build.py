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
