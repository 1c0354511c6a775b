"""Opening the store: made with care, and every failure of it a StoreError that says which."""

import fcntl
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from sinkhole.errors import StoreError
from sinkhole.store.counters import add
from sinkhole.store.database import open_store
from sinkhole.store.migrate import NewerStoreError, revision_of
from tests.store.rows import batch, row


def pragma(store, name):
    with store.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def count(store):
    with store.reading() as connection:
        return connection.exec_driver_sql("SELECT COUNT(*) FROM counter").scalar()


def write(store):
    with store.transaction() as connection:
        add(connection, "one")


def test_store_is_set_as_the_design_says(store):
    """R-D02: WAL, NORMAL, a bounded wait for locks, and pages that can be given back."""
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 1
    assert pragma(store, "busy_timeout") == 100
    assert pragma(store, "auto_vacuum") == 2
    assert pragma(store, "foreign_keys") == 1


def test_files_are_for_the_owner_alone(store, path, recorder):
    """R-D08: the database, its journal and the index of that."""
    recorder.write(batch(row()))
    files = sorted(path.parent.glob("store.db*"))
    assert [file.name for file in files] == ["store.db", "store.db-shm", "store.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_mode_is_set_right_at_every_start(store, path):
    """R-D08: a copy put back by hand may be readable by all."""
    store.close()
    path.chmod(0o644)
    open_store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_exception_rolls_a_transaction_back(store):
    with pytest.raises(ZeroDivisionError), store.transaction() as connection:
        add(connection, "a", 1 // 0 if add(connection, "a") is None else 0)
    assert count(store) == 0


def test_reader_sees_one_state_and_holds_no_writer_up(store):
    with store.reading() as reader:
        assert reader.exec_driver_sql("SELECT COUNT(*) FROM counter").scalar() == 0
        with store.transaction() as writer:
            writer.exec_driver_sql("INSERT INTO counter VALUES ('a', 1)")
        assert reader.exec_driver_sql("SELECT COUNT(*) FROM counter").scalar() == 0


def test_second_writer_waits_and_then_fails_in_words(store, path):
    """R-D01: a locked database is an error after the wait, never a wait without end."""
    other = open_store(path, busy_timeout=0.1)
    with (
        store.transaction(),
        pytest.raises(StoreError, match=r"store .*store\.db: database is locked"),
        other.transaction(),
    ):
        pass
    with other.transaction():
        pass
    other.close()


def test_exclusively_locked_database_is_an_error_on_connecting_too(path):
    open_store(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        open_store(path, busy_timeout=0.1)
    holder.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]
    open_store(path).close()


@pytest.mark.parametrize("replacement", [False, True], ids=["deleted", "replaced"])
def test_file_that_is_gone_is_noticed_and_made_anew(store, recorder, path, replacement):
    """R-D04: not written into an unlinked file that nobody can read."""
    recorder.write(batch(row()))
    path.unlink()
    if replacement:
        path.touch()
    with pytest.raises(StoreError, match="the file is gone"):
        recorder.write(batch(row(), seq=2))
    with pytest.raises(StoreError, match="the file is gone"), store.reading():
        pass
    store.close()
    again = open_store(path)
    with again.reading() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM hit").scalar() == 0
    again.close()


def test_folder_that_is_missing_is_said(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened: No such file or directory"):
        open_store(tmp_path / "nowhere" / "store.db")


def test_folder_in_place_of_the_file_is_said(tmp_path):
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreError, match="cannot be opened: Is a directory"):
        open_store(tmp_path / "store.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_of_another_user_is_said(path):
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(StoreError, match="cannot be opened: Permission denied"):
        open_store(path)


@pytest.mark.parametrize(
    "change",
    ["UPDATE alembic_version SET version_num = '9999'", "PRAGMA user_version = 1"],
    ids=["schema", "user_version"],
)
def test_newer_store_is_refused_and_left_untouched(path, change):
    """R-D03, R-D05, R-O07: a newer program wrote it; going on would damage it."""
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NewerStoreError, match=r"store\.db: was written by a newer version.*upgrade sinkhole"):
        open_store(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_path_may_hold_what_a_url_may_not(tmp_path):
    folder = tmp_path / "a%20b?c#d 'é"
    folder.mkdir()
    open_store(folder / "store.db").close()
    assert revision_of(folder / "store.db") == "0015"


def test_transaction_within_another_is_part_of_it(store):
    """What a change is made of comes into force together."""
    with store.transaction() as outer:
        add(outer, "outer")
        with store.transaction() as inner:
            add(inner, "inner")
        assert count(store) == 2  # reading sees what is not committed yet
        with pytest.raises(StoreError, match="no such table"), store.transaction() as inner:
            inner.exec_driver_sql("UPDATE nowhere SET x = 1", add(inner, "undone"))
    assert count(store) == 2
    with pytest.raises(ZeroDivisionError), store.transaction(), store.transaction() as inner:
        add(inner, "lost", 1 // 0 if add(inner, "lost") is None else 0)
    assert count(store) == 2


def test_reading_within_a_transaction_says_failures_alike(store):
    with store.transaction(), pytest.raises(StoreError, match="no such table"), store.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_text_that_is_no_unicode_is_a_store_error(store):
    """R-D09: the shell hands over any octets."""
    with pytest.raises(StoreError, match="Unicode"), store.transaction() as connection:
        add(connection, b"\xff".decode(errors="surrogateescape"))


def test_two_at_once_make_one_store(path):
    """R-D05: the second waits until the first has made or upgraded it."""
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: open_store(path), range(8)))
    for number, store in enumerate(stores):
        with store.transaction() as connection:
            add(connection, f"writer {number}")
    assert count(stores[0]) == 8
    for store in stores:
        store.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_opening_does_not_wait_for_ever_for_another(path):
    fd = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        with pytest.raises(StoreError, match="another process has been opening it"):
            open_store(path, busy_timeout=0.05)
    finally:
        os.close(fd)
    open_store(path).close()


def test_journal_does_not_stay_large(store, path):
    with store.transaction() as connection:
        for number in range(300):
            add(connection, f"{number} {'x' * 100_000}")
    with store.transaction() as connection:
        add(connection, "after")
    with store.reading() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)").fetchall()
    with store.transaction() as connection:
        add(connection, "and after")
    assert path.with_name("store.db-wal").stat().st_size <= 16 * 1024 * 1024


def test_all_that_is_read_at_once_is_of_one_state(store):
    """A page adds up what several questions tell: they must not be of different moments."""
    with store.reading_once():
        before = count(store)
        with ThreadPoolExecutor(1) as other:
            other.submit(write, store).result()
        with store.reading() as one, store.reading() as other:
            assert one is other
        assert count(store) == before
    assert count(store) == before + 1


def test_what_is_read_at_once_needs_the_store_only_where_it_is_read(store):
    store.path.unlink()
    with store.reading_once():
        with pytest.raises(StoreError, match="the file is gone"):
            count(store)
        with pytest.raises(StoreError, match="the file is gone"):
            count(store)
