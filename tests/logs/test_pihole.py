"""The query database of Pi-hole: read while in use, and left as it was."""

import datetime as dt
import hashlib
import sqlite3

import pytest

from sinkhole.errors import LogError
from sinkhole.logs import pihole
from sinkhole.logs.reading import LogReading
from tests.logs.databases import NOON, ROW, ROWS, write_linked, write_old

FOUND = [
    (NOON, "192.0.2.2", "chat.deepseek.com", True), (NOON + 1.5, "192.0.2.2", "chat.deepseek.com", True),
    (NOON + 2, "192.0.2.3", "api.openai.com", False), (NOON + 3, "192.0.2.3", "www.example.org", False),
    (NOON + 4, "2001:db8::4", "claude.ai", False),
]  # fmt: skip


def read(path):
    reading = LogReading(path, dt.UTC)
    try:
        return list(reading.queries()), reading.summary()
    finally:
        reading.close()


def test_linked_and_plain_rows_are_read(tmp_path):
    path = tmp_path / "pihole-FTL.db"
    write_linked(path).close()
    queries, summary = read(path)
    assert queries == FOUND
    assert (summary.title, summary.lines, summary.unreadable) == (pihole.TITLE, 5, 0)


def test_database_of_an_old_pihole(tmp_path):
    write_old(tmp_path / "old.db")
    assert read(tmp_path / "old.db")[0] == FOUND[:1]


@pytest.mark.parametrize("wal", [True, False])
def test_database_in_use_is_read_and_written_meanwhile(tmp_path, monkeypatch, wal):
    """Between blocks of rows Pi-hole can write: no lock is held while queries are judged."""
    path = tmp_path / "pihole-FTL.db"
    connection = write_linked(path, wal=wal)
    monkeypatch.setattr(pihole, "_ROWS", 2)
    reading = LogReading(path, dt.UTC)
    queries = reading.queries()
    found = [next(queries)]
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute(ROW, (NOON + 9, 1, 2, 3, 1))
    found += queries
    assert [at for at, *_ in found] == [at for at, *_ in FOUND] + [NOON + 9]
    connection.close()
    reading.close()


@pytest.mark.parametrize("wal", [True, False])
def test_nothing_is_written(tmp_path, wal):
    path = tmp_path / "pihole-FTL.db"
    write_linked(path, wal=wal).close()
    before = hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
    tmp_path.chmod(0o500)
    try:
        assert read(path)[0] == FOUND
    finally:
        tmp_path.chmod(0o700)
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before
    assert list(tmp_path.iterdir()) == [path]


def test_rows_with_what_no_query_has_are_counted(tmp_path):
    path = tmp_path / "pihole-FTL.db"
    write_linked(path, (*ROWS[:1], (NOON, 1, 2, 99, 1), ("soon", 1, 2, 1, 1), *ROWS[1:2])).close()
    queries, summary = read(path)
    assert len(queries) == 2
    assert (summary.lines, summary.unreadable, summary.first_unreadable) == (4, 2, 2)


def other_database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()


def endless_view(path):
    connection = sqlite3.connect(path)
    connection.executescript("""
        CREATE VIEW queries AS WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id FROM r)
        SELECT id, id AS timestamp, 'x' AS client, 'y' AS domain, 1 AS status FROM r""")
    connection.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (other_database, "is an SQLite database, but none of Pi-hole's queries"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40), "cannot be read as a database"),
        (endless_view, "reading it takes too long"),
    ],
    ids=["other", "broken", "endless"],
)  # fmt: skip
def test_database_that_is_none_of_pihole_is_said(tmp_path, monkeypatch, make, said):
    monkeypatch.setattr(pihole, "_WITHIN", 0.2)
    path = tmp_path / "x.db"
    make(path)
    with pytest.raises(LogError, match=said):
        read(path)
