"""A disk that is full: nothing half written, an error in words, and on it goes when there is space again (R-D04)."""

import sqlite3
from itertools import count

import pytest

from sinkhole.errors import StoreError
from sinkhole.store.database import BrokenStoreError, open_store
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from tests.store.disk import limited_files, mounted
from tests.store.rows import batch, row


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB."""
    with mounted(tmp_path / "small", 1) as folder:
        yield folder


def rows_of(seq, length=1000):
    return batch(*(row(name=f"n{seq}-{number}.example.org") for number in range(length)), seq=seq)


def fill_up(store, recorder):
    """Write until nothing fits; return the number of the batch that failed."""
    with pytest.raises(StoreError, match="full") as caught:
        all(recorder.write(rows_of(seq)) for seq in count(1))
    assert not isinstance(caught.value, BrokenStoreError)
    return Reports(store, 300).totals()[0] // 1000 + 1


def is_whole(path):
    with sqlite3.connect(path) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return found == ("ok",)


def test_batch_that_does_not_fit_comes_again_when_it_does(small_disk):
    """R-D04: by the same recorder, and exactly once."""
    hog = small_disk / "hog"
    hog.write_bytes(bytes(300_000))
    store = open_store(small_disk / "store.db")
    recorder = Recorder(store, str)
    failed = fill_up(store, recorder)
    hog.unlink()
    assert recorder.write(rows_of(failed, 500))
    assert recorder.write(rows_of(failed, 500))
    assert Reports(store, 300).totals()[0] == (failed - 1) * 1000 + 500
    store.close()
    assert is_whole(store.path)


def test_full_disk_can_be_opened_and_read(small_disk):
    """R-D04: what was recorded is there to be looked at."""
    store = open_store(small_disk / "store.db")
    failed = fill_up(store, Recorder(store, str))
    store.close()
    again = open_store(small_disk / "store.db")
    assert Reports(again, 300).totals()[0] == (failed - 1) * 1000
    again.close()


def test_store_that_cannot_be_made_is_made_later(small_disk):
    hog = small_disk / "hog"
    with pytest.raises(OSError, match="No space"):
        hog.write_bytes(bytes(2_000_000))
    with pytest.raises(StoreError, match=r"store\.db"):
        open_store(small_disk / "store.db")
    hog.unlink()
    open_store(small_disk / "store.db").close()
    assert [file.name for file in small_disk.iterdir()] == ["store.db"]


def test_file_that_may_not_grow_is_alike(path):
    """R-D04: a quota or a limit of the process; needs no root."""
    store = open_store(path)
    recorder = Recorder(store, str)
    recorder.write(rows_of(1))
    with limited_files(path.with_name("store.db-wal").stat().st_size), pytest.raises(StoreError):
        recorder.write(rows_of(2, 5000))
    assert Reports(store, 300).totals()[0] == 1000
    assert recorder.write(rows_of(2, 5000))
    assert Reports(store, 300).totals()[0] == 6000
    store.close()
    assert is_whole(path)
