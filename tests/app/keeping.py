"""What tests of the store keeper share: clocks moved by hand, settings, and a look into the store."""

import pytest

from sinkhole.config.schema import Settings
from sinkhole.errors import StoreError
from sinkhole.store.database import open_store
from sinkhole.store.reports import Reports
from tests.store.rows import START


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.passed = 1000.0
        self.wall_ahead = START - 1000.0

    def pass_by(self, seconds):
        self.passed += seconds

    def wall(self):
        return self.passed + self.wall_ahead

    def monotonic(self):
        return self.passed


def settings_of(folder, **record):
    return Settings.model_validate({"server": {"data_dir": folder}, "record": record})


def totals(folder):
    store = open_store(folder / "store.db")
    try:
        return Reports(store, 300).totals()
    finally:
        store.close()


async def refused(keeper, hits):
    with pytest.raises(StoreError):
        await keeper.record(hits)
    return True
