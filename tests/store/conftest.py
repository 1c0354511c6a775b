"""A real SQLite file for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinkhole.store.database import Store, open_store
from sinkhole.store.recorder import Recorder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = open_store(path, busy_timeout=0.1)
    yield store
    store.close()


@pytest.fixture
def recorder(store: Store) -> Recorder:
    return Recorder(store, lambda address: address)
