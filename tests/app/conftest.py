"""A data folder, and a store keeper on it whose clocks are moved by hand."""

import pytest

from sinkhole.app import data_dir
from sinkhole.app.store_keeper import StoreKeeper
from tests.app.keeping import Clock, settings_of


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    data_dir.prepare(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
async def keeper(folder, clock):
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    await keeper.until_open()
    yield keeper
    await keeper.close()


@pytest.fixture
def events(caplog):
    """Return how often each event of the store was logged since the last call."""
    caplog.set_level("INFO", "sinkhole.store")

    def take():
        found = [record.getMessage().split()[0] for record in caplog.records if record.name == "sinkhole.store"]
        caplog.clear()
        return found

    return take
