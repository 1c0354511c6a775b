"""A real SQLite file for every test."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


@pytest.fixture
def limited_files() -> Callable[[int], AbstractContextManager[None]]:
    """Return what makes files that grow beyond a size fail, as a full disk does, while it is entered."""

    @contextmanager
    def limit(octets: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))  # Python ignores the signal: the write fails
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limit
