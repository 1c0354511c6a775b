"""What the first pages count is counted before anybody opens them."""

import asyncio

import pytest

from sinkhole.app.state import open_state
from sinkhole.app.summing import sum_up
from sinkhole.config.schema import Settings
from sinkhole.errors import StoreError
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.web.pages import warm as module
from sinkhole.web.pages.overview import figures_of
from sinkhole.web.pages.span import DEFAULT, times_of
from sinkhole.web.work import Work
from tests.web.seeded import DAY, hit


@pytest.fixture
def settings(tmp_path):
    """Of a store with hits of a month, all counted."""
    found = Settings.model_validate({"server": {"data_dir": tmp_path}})
    state = open_state(found)
    rows = tuple(hit(day * DAY + 60, f"192.0.2.{day % 5 + 1}") for day in range(1, 25))
    Recorder(state.store, str).write(HitBatch("test", 1, rows))
    list(sum_up(state, times_of(DEFAULT).until))
    state.close()
    return found


async def test_what_was_counted_before_is_what_the_overview_reads(settings):
    work = Work(settings)
    try:
        await work.readers.do(module.warm)

        def look(state):
            kept = state.store.spans
            asked = []
            find, kept.get = kept.get, lambda key: asked.append(find(key)) or asked[-1]
            figures_of(state, state.catalogue().catalogue, times_of(DEFAULT), DEFAULT)
            return asked

        asked = await work.readers.do(look)
        assert asked
        assert None not in asked
    finally:
        work.close()


async def test_it_goes_on_after_a_failure_and_ends_with_the_site(monkeypatch):
    monkeypatch.setattr(module, "AFTER_START", 0)
    monkeypatch.setattr(module, "HOUR", 0.001)
    calls, again = [], asyncio.Event()

    class Readers:
        async def do(self, work):
            calls.append(work)
            if len(calls) > 2:
                again.set()
            raise StoreError("not now")

    class Context:
        class work:  # noqa: N801 - as it is called there
            readers = Readers()

    running = module.kept_warm({module.CONTEXT: Context()})
    await anext(running)
    await asyncio.wait_for(again.wait(), 5)
    with pytest.raises(StopAsyncIteration):
        await anext(running)
    assert set(calls) == {module.warm}
