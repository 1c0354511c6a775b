"""What is no readable store is moved aside whole, never deleted; its policy is carried over where it can be read."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from sinkhole.errors import StoreError
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.feed import Feed
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.account_store import AccountStore
from sinkhole.store.audit import entries
from sinkhole.store.broken import distrust, was_left_open
from sinkhole.store.database import BrokenStoreError, open_store
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.feed_store import FeedStore
from sinkhole.store.override_store import OverrideStore
from sinkhole.store.policy_store import PolicyStore
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from tests.store.rows import batch, row

PAGE = 4096


def asides(path):
    return sorted(file.name for file in path.parent.glob("*.broken-*"))


def is_usable(store):
    Recorder(store, str).write(batch(row()))
    return Reports(store, 300).totals() == (1, 1)


def fill(path):
    """Make a store with some policy and several pages of hits."""
    store = open_store(path)
    policy = PolicyStore(store, "admin")
    policy.put_group(Group("staff", ("192.0.2.0/24",)))
    policy.put(Statement(0, Subject.from_text("domain:example.org"), Action.BLOCK, "staff"))
    FeedStore(store, "admin").put(Feed("doh", "https://example.org/doh.txt"))
    recorder = Recorder(store, str)
    recorder.write(batch(*(row(name=f"n{number}.example.org") for number in range(5000))))
    store.close()
    return path.read_bytes()


def smash(path, table):
    """Overwrite the first page of a table."""
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * PAGE)


@pytest.mark.parametrize(
    "content", [b"garbage", b"\0" * 9000, b"SQLite format 3\0" + b"\xff" * 5000, b"SQLite format 3\0"]
)
def test_garbage_is_moved_aside_and_said(path, caplog, content):
    """R-D03: a file that is no database."""
    path.write_bytes(content)
    store = open_store(path)
    assert is_usable(store)
    store.close()
    (aside,) = asides(path)
    assert (path.parent / aside).read_bytes() == content
    assert "store.broken" in caplog.text
    assert aside in caplog.text


def test_database_of_another_program_is_moved_aside(path):
    """R-D03: a foreign file."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    store = open_store(path)
    assert is_usable(store)
    store.close()
    assert len(asides(path)) == 1


def test_file_cut_short_keeps_its_policy(path, caplog):
    """R-D03: truncated; what an administrator blocked stays blocked."""
    content = fill(path)
    path.write_bytes(content[: len(content) // 2 // PAGE * PAGE])
    store = open_store(path)
    assert [str(statement.subject) for statement in PolicyStore(store, "x").statements()] == ["domain:example.org"]
    assert is_usable(store)
    store.close()
    (aside,) = asides(path)
    assert (path.parent / aside).stat().st_size == len(content) // 2 // PAGE * PAGE
    assert "store.policy_salvaged" in caplog.text


def test_broken_page_of_hits_does_not_lift_a_lockdown_or_an_exception(path):
    fill(path)
    store = open_store(path)
    now = datetime.now(UTC)
    ahead, ai = now + timedelta(hours=1), Subject.from_text("ai")
    OverrideStore(store, "admin").begin(Override(OverrideKind.LOCKDOWN, 0, (ai,), ahead), now)
    ExceptionStore(store, "admin").put(PolicyException(ai, ahead, "why", "Ann"), now)
    store.close()
    smash(path, "hit_minute")
    store = open_store(path)
    assert [one.name for one in OverrideStore(store, "x").in_force(now)] == ["lockdown:1"]
    assert [one.reason for one in ExceptionStore(store, "x").in_force(now)] == ["why"]
    store.close()


def test_broken_page_of_hits_does_not_lift_the_policy(path):
    fill(path)
    smash(path, "hit_minute")
    store = open_store(path)
    policy = PolicyStore(store, "x")
    assert [(str(found.subject), found.group) for found in policy.statements()] == [("domain:example.org", "staff")]
    assert policy.groups() == (Group("staff", ("192.0.2.0/24",)),)
    assert [feed.name for feed, _ in FeedStore(store, "x").all()] == ["doh"]
    with store.reading() as connection:
        assert [entry.what for entry in entries(connection)][1:] == [
            "feed doh", "policy block domain:example.org for group:staff", "group staff",
        ]  # fmt: skip
        assert entries(connection)[0].what.startswith("policy and feeds salvaged from store.db.broken-")
    assert is_usable(store)
    store.close()
    assert len(asides(path)) == 1


def test_policy_without_its_audit_log_is_carried_over(path):
    fill(path)
    smash(path, "audit")
    store = open_store(path)
    assert len(PolicyStore(store, "x").statements()) == 1
    with store.reading() as connection:
        assert len(entries(connection)) == 1
    store.close()


@pytest.mark.parametrize(
    "table", ["statement", "feed", "client_group", "alembic_version", "sqlite_autoindex_statement_1"]
)
def test_half_a_policy_is_none(path, caplog, table):
    fill(path)
    smash(path, table)
    store = open_store(path)
    found = (PolicyStore(store, "x").statements(), PolicyStore(store, "x").groups(), FeedStore(store, "x").all())
    is_whole = all(found)
    assert is_whole or not any(found)
    assert ("store.policy_lost" in caplog.text) is not is_whole
    assert is_usable(store)
    store.close()


def test_policy_of_another_schema_is_not_guessed_at(path, caplog):
    fill(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    smash(path, "hit_minute")
    store = open_store(path)
    assert PolicyStore(store, "x").statements() == ()
    store.close()
    assert "its schema is another" in caplog.text


def test_short_look_does_not_read_all_pages_and_use_notices_the_damage(path):
    """A command opens quickly; what it then reads is an error that the server acts on."""
    fill(path)
    smash(path, "hit_minute")
    store = open_store(path, is_thorough=False)
    with pytest.raises(BrokenStoreError, match="malformed"), store.reading() as connection:
        connection.exec_driver_sql("SELECT MIN(minute) FROM hit").scalar()
    store.close()
    assert asides(path) == []
    open_store(path, is_thorough=True).close()
    assert len(asides(path)) == 1


def test_journal_goes_with_its_database(path, tmp_path):
    fill(path)
    path.write_bytes(b"garbage")
    journal = path.with_name("store.db-wal")
    journal.write_bytes(b"journal")
    open_store(path).close()
    main, wal = asides(path)
    assert wal == f"{main}-wal"
    assert (tmp_path / wal).read_bytes() == b"journal"


def test_use_that_meets_damage_has_the_next_opening_look_through_all(path):
    """R-D03: so that a store which only commands use heals as well."""
    fill(path)
    smash(path, "hit_minute")
    store = open_store(path, is_thorough=False)
    with pytest.raises(BrokenStoreError), store.reading() as connection:
        connection.exec_driver_sql("SELECT MIN(minute) FROM hit").scalar()
    store.close()
    again = open_store(path, is_thorough=False)
    assert is_usable(again)
    assert len(PolicyStore(again, "x").statements()) == 1
    again.close()
    assert len(asides(path)) == 1
    assert not list(path.parent.glob("*.doubtful"))


def test_false_alarm_is_over_after_one_look(path):
    fill(path)
    distrust(path)
    open_store(path, is_thorough=False).close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_alarm_on_a_disk_that_takes_nothing_is_let_go(path):
    distrust(path.parent / "nowhere" / "store.db")


@pytest.mark.parametrize("is_empty", [False, True])
def test_journal_whose_store_is_gone_is_not_played_into_a_new_one(path, is_empty):
    """R-D03: it was of another file."""
    fill(path)
    journal = path.with_name("store.db-wal")
    journal.write_bytes(b"journal")
    path.write_bytes(b"") if is_empty else path.unlink()
    open_store(path).close()
    kept = [path.parent / name for name in asides(path) if name.endswith("-wal")]
    assert [file.read_bytes() for file in kept] == [b"journal"]


_SUBJECTS = """
import pathlib, sys
from sinkhole.store.database import open_store
from sinkhole.store.policy_store import PolicyStore
store = open_store(pathlib.Path(sys.argv[1]))
print(*(statement.subject for statement in PolicyStore(store, "x").statements()))
store.close()
"""


def test_what_sits_in_the_journal_only_is_salvaged_as_well(path):
    """The server still has the store open, and its journal with it."""
    fill(path)
    server = open_store(path)
    PolicyStore(server, "admin").put(Statement(0, Subject.from_text("domain:example.com"), Action.ALLOW))
    assert was_left_open(path)
    smash(path, "hit_minute")
    other = subprocess.run(  # a process that has a store open never looks at the file itself
        [sys.executable, "-c", _SUBJECTS, str(path)], capture_output=True, text=True, check=True
    )
    assert set(other.stdout.split()) == {"domain:example.org", "domain:example.com"}
    with pytest.raises(StoreError, match="another took its place"):
        PolicyStore(server, "admin").statements()
    server.close()
    assert not was_left_open(path)


def test_accounts_are_salvaged(path):
    """Else the next start would offer a link for a first one."""
    fill(path)
    store = open_store(path)
    AccountStore(store, "x").create("ann", "manage", "$argon2id$", datetime.now(UTC))
    store.close()
    smash(path, "hit_minute")
    again = open_store(path)
    assert [account.name for account in AccountStore(again, "x").all()] == ["ann"]
    again.close()


def test_text_that_is_no_utf8_is_damage(path):
    fill(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = CAST(x'ff' AS TEXT)")
    connection.close()
    with pytest.raises(BrokenStoreError, match="UTF-8"):
        open_store(path, is_thorough=False)


def damage(content, random):
    """Return the content of a file after one of the misfortunes that happen to files."""
    page = random.randrange(len(content) // PAGE) * PAGE
    match random.randrange(4):
        case 0:
            return content[: random.randrange(len(content))]
        case 1:
            return content[:page] + random.randbytes(PAGE) + content[page + PAGE :]
        case 2:
            return content[:page] + bytes(8 * PAGE) + content[page + 8 * PAGE :]
        case _:
            changed = bytearray(content)
            for _ in range(random.randrange(1, 30)):
                changed[random.randrange(len(changed))] = random.randrange(256)
            return bytes(changed)


@pytest.mark.parametrize("seed", range(12))
def test_damage_anywhere_is_a_store_error_or_a_working_store(path, seed):
    """R-D03: never another exception, and in the end a store that takes hits."""
    content = fill(path)
    random = Random(seed)
    path.write_bytes(damage(content, random))
    for _ in range(3):
        try:
            store = open_store(path, is_thorough=bool(seed % 2), busy_timeout=0.1)
        except BrokenStoreError:
            continue
        try:
            PolicyStore(store, "x").statements()
            Recorder(store, str).write(batch(row(), worker="another"))
            Reports(store, 300).totals()
        except BrokenStoreError:
            continue
        else:
            return
        finally:
            store.close()
    pytest.fail("no working store after three openings")
