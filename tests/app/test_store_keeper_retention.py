"""The control process forgets old hits between writing new ones, and mistrusts a clock that was just set."""

import asyncio
from dataclasses import replace

import pytest

from sinkhole.app.store_keeper import CLOCK_JUMP, REOPEN_AFTER, StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.policy.sighting import Sighting
from sinkhole.store.candidates import CandidateState
from tests.app.keeping import settings_of, totals
from tests.store.rows import batch, row


async def test_retention_deletes_what_is_old_and_hits_come_in_meanwhile(folder, clock, events):
    """R-D06."""
    keeper = StoreKeeper(settings_of(folder, days=1), clock.wall, clock.monotonic)
    await keeper.record(batch(row(at=-200_000), row(at=-90_000), row(at=-80_000), row(), seq=1))
    events()
    await asyncio.gather(keeper.retain(), keeper.record(batch(row(count=10), seq=2)))
    assert events() == ["hits.retained"]
    await keeper.retain()
    assert events() == []
    await keeper.close()
    assert totals(folder)[0] == 12


async def test_retention_waits_for_the_next_time_where_the_store_is_gone(keeper, folder, clock):
    (folder / "store.db").unlink()
    await keeper.retain()
    assert "the file is gone" in keeper.state_in_words
    clock.pass_by(REOPEN_AFTER)
    await keeper.retain()
    assert keeper.state_in_words == "open"


async def test_retention_ends_with_the_store_it_began_on(folder, clock):
    """Its next step would open the old file again, behind the keeper's back."""
    keeper = StoreKeeper(settings_of(folder, days=1), clock.wall, clock.monotonic)
    await keeper.record(batch(*(row(at=-200_000 + 60 * number) for number in range(100)), seq=1))
    retaining = asyncio.ensure_future(keeper.retain())
    await asyncio.sleep(0)
    (folder / "store.db").unlink()
    await retaining
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.do(lambda state: state.store.path.exists())
    await keeper.close()


@pytest.mark.parametrize("jump", [30 * 86_400, -30 * 86_400])
async def test_clock_that_jumps_deletes_nothing_until_it_has_been_right_for_long(folder, clock, events, jump):
    """R-D10: a wrong clock for a minute must not cost three months of hits."""
    keeper = StoreKeeper(settings_of(folder, days=7), clock.wall, clock.monotonic)
    await keeper.record(batch(row(), seq=1))
    events()
    clock.wall_ahead += jump
    await keeper.retain()
    assert events() == ["clock.jumped"]
    clock.wall_ahead -= jump
    await keeper.retain()
    await keeper.retain()
    clock.wall_ahead += CLOCK_JUMP  # as much as a summer time set wrongly: not worth a word
    await keeper.retain()
    assert events() == ["clock.jumped"]
    await keeper.close()
    assert totals(folder)[0] == 1


async def test_clock_set_for_good_is_believed_at_the_next_time(folder, clock):
    keeper = StoreKeeper(settings_of(folder, days=7), clock.wall, clock.monotonic)
    await keeper.record(batch(row(), seq=1))
    clock.wall_ahead += 30 * 86_400
    await keeper.retain()
    await keeper.retain()
    await keeper.close()
    assert totals(folder)[0] == 0


async def test_names_that_look_like_ai_go_when_they_were_not_seen_for_long(folder, clock):
    """Those that wait, after `discover.days`; what people decided stays."""
    settings = Settings.model_validate({"server": {"data_dir": folder}, "discover": {"days": 2}})
    keeper = StoreKeeper(settings, clock.wall, clock.monotonic)
    now = int(clock.wall())
    seen = [
        Sighting(f"{name}.ai", ("its suffix .ai",), 1, now - age, now - age, (), True)
        for name, age in (("old", 2 * 86_400 + 60), ("decided", 2 * 86_400 + 60), ("new", 86_400))
    ]
    assert await keeper.record(replace(batch(seq=1), sightings=tuple(seen)))
    await keeper.do(lambda state: state.candidates.decide("decided.ai", CandidateState.IGNORED))
    await keeper.retain()
    left = await keeper.do(lambda state: state.candidates.all())
    assert [one.domain for one in left] == ["decided.ai", "new.ai"]
    await keeper.close()


async def test_hours_that_are_over_are_counted_and_hits_come_in_meanwhile(keeper, clock):
    await keeper.record(batch(row(at=-7200), row(at=-3600 * 3), row(at=-3600 * 50), row(), seq=1))
    await asyncio.gather(keeper.sum_up(), keeper.record(batch(row(count=10), seq=2)))
    counted = "SELECT hours, COUNT(*) FROM span GROUP BY hours"
    assert await keeper.do(lambda state: _rows(state, counted)) == [(1, 49), (6, 7), (24, 1)]
    clock.pass_by(2 * 3600)
    await keeper.sum_up()
    assert await keeper.do(lambda state: _rows(state, counted)) == [(1, 50), (6, 8), (24, 1)]


async def test_counting_waits_for_the_next_time_where_the_store_is_gone(keeper, folder):
    (folder / "store.db").unlink()
    await keeper.sum_up()
    assert "the file is gone" in keeper.state_in_words


def _rows(state, sql):
    with state.store.reading() as connection:
        return [tuple(found) for found in connection.exec_driver_sql(sql)]
