"""The query database of Pi-hole (pihole-FTL.db), read while Pi-hole goes on writing it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sinkhole.errors import LogError
from sinkhole.logs.clock import LATEST
from sinkhole.logs.query import Query

NAME: Final = "pihole-db"
TITLE: Final = "Pi-hole query database (pihole-FTL.db)"
BLOCKED: Final = frozenset((1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18))
"""Statuses of queries that were blocked."""
_ROWS: Final = 20_000
"""Rows that are read at a time: in between Pi-hole can write."""
_WITHIN: Final = 60.0
"""Seconds that these may take: a view may never end."""
_STEPS: Final = 100_000
_WAL: Final = 2
_LINKED: Final = """
    SELECT q.id, q.timestamp, CASE typeof(q.client) WHEN 'integer' THEN c.ip ELSE q.client END,
           CASE typeof(q.domain) WHEN 'integer' THEN d.domain ELSE q.domain END, q.status
    FROM query_storage q LEFT JOIN client_by_id c ON c.id = q.client LEFT JOIN domain_by_id d ON d.id = q.domain
    WHERE q.id > ? ORDER BY q.id LIMIT ?
"""
_PLAIN: Final = "SELECT id, timestamp, client, domain, status FROM queries WHERE id > ? ORDER BY id LIMIT ?"
"""Of a Pi-hole before version 5."""


class PiholeDatabase:
    """The queries of one database.

    Args:
        tick: called now and then while it is read.

    Attributes:
        rows: read so far.
        last: id of the last of them.
        newest: id of the last that there is.
        unreadable: rows with what no query has.
        first_unreadable: id of the first of them.
    """

    def __init__(self, path: Path, tick: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._tick = tick
        self.rows = self.last = self.newest = self.unreadable = 0
        self.first_unreadable: int | None = None

    def queries(self) -> Iterator[Query]:
        """Yield all queries in order.

        Raises:
            LogError: it is broken, or no database of Pi-hole.
        """
        try:
            with closing(_connect(self._path)) as connection:
                tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
                if not {"query_storage", "client_by_id", "domain_by_id"} <= tables and "queries" not in tables:
                    raise LogError(f"{self._path}: is an SQLite database, but none of Pi-hole's queries")
                table, sql = ("query_storage", _LINKED) if "query_storage" in tables else ("queries", _PLAIN)
                _bound(connection)
                newest = connection.execute(f"SELECT MAX(id) FROM {table}").fetchone()[0]  # noqa: S608
                self.newest = int(newest or 0)
                yield from self._all(connection, sql)
        except (sqlite3.Error, UnicodeDecodeError, ValueError, TypeError) as error:
            why = "reading it takes too long" if "interrupt" in str(error) else str(error)
            raise LogError(f"{self._path}: cannot be read as a database: {why}") from error

    def _all(self, connection: sqlite3.Connection, sql: str) -> Iterator[Query]:
        while True:
            _bound(connection)
            rows = connection.execute(sql, (self.last, _ROWS)).fetchall()
            if not rows:
                return
            for number, at, client, name, status in rows:
                self.rows += 1
                if _is_time(at) and isinstance(client, str) and isinstance(name, str):
                    yield at, client, name, status in BLOCKED
                else:
                    self.unreadable += 1
                    if self.first_unreadable is None:
                        self.first_unreadable = number
            if rows[-1][0] <= self.last:
                raise LogError(f"{self._path}: its rows have no order")
            self.last = rows[-1][0]
            self._tick()


def _is_time(at: object) -> bool:
    return isinstance(at, (int, float)) and 0 <= at <= LATEST


def _bound(connection: sqlite3.Connection) -> None:
    """Let what is asked next end within a time."""
    deadline = time.monotonic() + _WITHIN
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)


def _connect(path: Path) -> sqlite3.Connection:
    """Open it for reading.

    A database with a journal (WAL) that is not there is one that nobody uses; SQLite would make the journal to read it.
    """
    with path.open("rb") as file:
        mode = file.read(20)[18:19]
    is_idle = mode == bytes((_WAL,)) and not path.with_name(f"{path.name}-wal").exists()
    uri = f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if is_idle else ''}"
    connection = sqlite3.connect(uri, uri=True, timeout=10)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection
