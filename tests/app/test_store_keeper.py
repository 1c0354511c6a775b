"""The control process keeps a store, whatever happens to the file; hits wait, and none is lost or counted twice."""

import asyncio
import json
import sqlite3
import threading

import pytest

from sinkhole.app.store_keeper import REOPEN_AFTER, NotOpenError, StoreKeeper
from sinkhole.errors import PolicyError
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.database import open_store
from sinkhole.store.pseudonym import KEY_FILE
from tests.app.keeping import refused, settings_of, totals
from tests.store.disk import limited_files
from tests.store.rows import batch, row

PAGE = 4096


async def test_first_opening_fills_the_store_with_the_defaults(folder, clock, events):
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    assert keeper.state_in_words == "has not been opened yet"
    await keeper.until_open()
    assert keeper.state_in_words == "open"
    assert events() == ["store.open"]
    statements = await keeper.do(lambda state: state.policy.statements())
    assert "ai" in {str(statement.subject) for statement in statements}
    await keeper.close()


async def test_batches_are_written_once_and_in_order(keeper, folder):
    """R-O11: sent again after a lost acknowledgement, or out of order."""
    assert await keeper.record(batch(row(count=1), seq=1))
    assert await keeper.record(batch(row(count=1), seq=1))
    assert not await keeper.record(batch(row(count=10), seq=3))
    assert await keeper.record(batch(row(count=100), seq=2))
    assert await keeper.record(batch(row(count=10), seq=3))
    assert totals(folder)[0] == 111


async def test_what_policy_refuses_leaves_the_store_open(keeper, events):
    events()
    statement = Statement(0, Subject.from_text("ai"), Action.BLOCK, group="nobody")
    with pytest.raises(PolicyError):
        await keeper.do(lambda state: state.policy.put(statement))
    assert keeper.state_in_words == "open"
    assert events() == []


async def test_deleted_store_is_made_anew(keeper, folder, clock, events):
    """R-D03, R-D04: no hit goes into a file that nobody can find; the batch at hand is kept by its worker."""
    assert await keeper.record(batch(row(), seq=1))
    (folder / "store.db").unlink()
    events()
    assert await refused(keeper, batch(row(count=10), seq=2))
    assert "the file is gone" in keeper.state_in_words
    with pytest.raises(NotOpenError, match=r"not open: .*the file is gone"):
        await keeper.record(batch(row(count=10), seq=2))
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.record(batch(row(count=10), seq=2))
    assert events() == ["store.failed", "store.broken", "store.open"]
    assert keeper.state_in_words == "open"
    assert totals(folder)[0] == 10


async def test_new_store_takes_no_batch_before_an_earlier_one_that_failed(keeper, folder, clock):
    """R-O11: a new store knows of no batches; 3 would be taken, and then 2 count as written long ago."""
    assert await keeper.record(batch(row(), seq=1))
    (folder / "store.db").unlink()
    assert await refused(keeper, batch(row(count=10), seq=2))
    clock.pass_by(REOPEN_AFTER)
    assert not await keeper.record(batch(row(count=100), seq=3))
    assert await keeper.record(batch(row(count=10), seq=2))
    assert await keeper.record(batch(row(count=100), seq=3))
    assert totals(folder)[0] == 110


async def test_replaced_store_is_taken_up(keeper, folder, clock, tmp_path):
    """An administrator puts another file in place, as `restore` does."""
    assert await keeper.record(batch(row(), seq=1))
    other = open_store(tmp_path / "other.db")
    with other.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO audit (at, who, what) VALUES (0, 'x', 'the other one')")
    other.close()
    for name in ("store.db-wal", "store.db-shm"):
        (folder / name).rename(tmp_path / name)
    (tmp_path / "other.db").rename(folder / "store.db")
    assert await refused(keeper, batch(row(), seq=2))
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.record(batch(row(), seq=2))
    assert totals(folder)[0] == 1


async def test_store_damaged_under_way_heals_and_keeps_its_policy(folder, clock, events):
    """R-D03: a page of hits turns to garbage; policy goes on, the broken file is kept."""
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    statement = Statement(0, Subject.from_text("domain:example.org"), Action.BLOCK)
    await keeper.do(lambda state: state.policy.put(statement))
    await keeper.record(batch(*(row(name=f"n{number}.example.org") for number in range(2000)), seq=1))
    await keeper.close()
    _smash(folder / "store.db", "hit_minute")
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    await keeper.until_open()
    events()
    assert await refused(keeper, batch(*(row(name=f"m{number}.example.org") for number in range(2000)), seq=2))
    assert "malformed" in keeper.state_in_words
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.record(batch(row(count=10), seq=2))
    assert events() == ["store.failed", "store.broken", "store.policy_salvaged", "store.open"]
    statements = await keeper.do(lambda state: state.policy.statements())
    assert "domain:example.org" in {str(found.subject) for found in statements}
    await keeper.close()
    assert totals(folder)[0] == 10
    assert len(list(folder.glob("store.db.broken-*"))) == 1


def _smash(path, table):
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)


async def test_store_that_was_not_closed_is_looked_through(folder, clock, events):
    """R-D03: after a crash the damage is found at the start, not when a hit meets it."""
    store = open_store(folder / "store.db")
    with store.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO counter VALUES ('x', 1)")
    journal = (folder / "store.db-wal").read_bytes()
    store.close()
    _smash(folder / "store.db", "hit_minute")
    (folder / "store.db-wal").write_bytes(journal)
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    await keeper.until_open()
    await keeper.close()
    assert events()[0] == "store.broken"


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_garbage_in_place_of_the_store_is_moved_aside(folder, clock, content):
    """R-D03."""
    (folder / "store.db").write_bytes(content)
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    assert await keeper.record(batch(row(), seq=1))
    await keeper.close()
    (aside,) = folder.glob("store.db.broken-*")
    assert aside.read_bytes() == content


async def test_newer_store_is_said_once_and_waited_for(folder, clock, events):
    """R-D03, R-D05, R-O07: it is left alone; as soon as an older copy is back, hits are written."""
    open_store(folder / "store.db").close()
    _set_revision(folder / "store.db", "9999")
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    for _ in range(3):
        assert await refused(keeper, batch(row(), seq=1))
        clock.pass_by(REOPEN_AFTER)
    assert "newer version" in keeper.state_in_words
    assert events() == ["store.failed"]
    _set_revision(folder / "store.db", "0015")
    assert await keeper.record(batch(row(), seq=1))
    assert events() == ["store.open"]
    await keeper.close()


def _set_revision(path, revision):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


async def test_lock_of_another_process_delays_only(keeper, folder):
    """R-D01: hits wait for SQLite, nothing else does."""
    holder = sqlite3.connect(folder / "store.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, lambda: holder.execute("COMMIT"))
    release.start()
    writing = asyncio.ensure_future(keeper.record(batch(row(), seq=1)))
    assert not writing.done()
    assert await writing
    release.join()
    holder.close()


async def test_long_lock_is_said_once_and_over_with_the_first_batch(keeper, folder, clock, events):
    """R-D01, R-D04: what can still be read does not mean that hits are written again."""
    events()
    holder = sqlite3.connect(folder / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert await refused(keeper, batch(row(), seq=1))
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.do(lambda state: state.policy.statements())
    assert "locked" in keeper.state_in_words
    holder.execute("COMMIT")
    holder.close()
    assert events() == ["store.failed"]
    assert await keeper.record(batch(row(), seq=1))
    assert events() == ["store.open"]


async def test_full_disk_is_said_once_and_recovered_from(keeper, folder, clock, events):
    """R-D04: small changes may fit while batches do not; recording resumes by itself, with every batch once."""
    assert await keeper.record(batch(row(), seq=1))
    events()
    large = batch(*(row(name=f"n{number}.example.org", count=10) for number in range(5000)), seq=2)
    with limited_files((folder / "store.db-wal").stat().st_size):
        for _ in range(3):
            assert await refused(keeper, large)
            assert keeper.state_in_words != "open"
            assert not await keeper.record(batch(row(), seq=3))
            clock.pass_by(REOPEN_AFTER)
            assert await keeper.do(lambda state: state.policy.statements())
    assert len(events()) <= 2  # once in each of SQLite's wordings
    assert await keeper.record(large)
    assert await keeper.record(batch(row(count=100), seq=3))
    assert events() == ["store.open"]
    assert totals(folder)[0] == 50_101


async def test_key_that_cannot_be_used_leaves_no_store_open(folder, clock):
    """R-D11: rather no hits than addresses in full."""
    (folder / KEY_FILE).write_bytes(b"short")
    keeper = StoreKeeper(settings_of(folder, clients="pseudonym"), clock.wall, clock.monotonic)
    assert await refused(keeper, batch(row(), seq=1))
    assert "key of pseudonyms" in keeper.state_in_words
    assert not (folder / "store.db-wal").exists()
    (folder / KEY_FILE).unlink()
    clock.pass_by(REOPEN_AFTER)
    assert await keeper.record(batch(row(), seq=1))
    await keeper.close()
    assert b"192.0.2.1" not in (folder / "store.db").read_bytes()


async def test_waiting_for_a_store_ends_when_it_opens(folder, clock):
    (folder / "store.db").mkdir()
    keeper = StoreKeeper(settings_of(folder), clock.wall, clock.monotonic)
    waiting = asyncio.ensure_future(keeper.until_open())
    assert await refused(keeper, batch(row(), seq=1))
    (folder / "store.db").rmdir()
    clock.pass_by(REOPEN_AFTER)
    async with asyncio.timeout(5):
        await waiting
    assert keeper.state_in_words == "open"
    await keeper.close()


async def test_messages_tell_what_goes_on_in_the_meantime(keeper, folder, caplog):
    (folder / "store.db").unlink()
    assert await refused(keeper, batch(row(), seq=1))
    assert "answers go on, hits wait in the workers" in caplog.text
    assert json.dumps(keeper.state_in_words)  # it is shown by `status`
