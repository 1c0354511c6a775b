"""Open the store: one SQLite file, made, migrated and guarded; what cannot be read is moved aside, never deleted."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.store.migrate import NewerStoreError, upgrade

BUSY_TIMEOUT_MS = 5000
_HEADER = b"SQLite format 3\0"
_LOG = Log("store")


class Store:
    """An open store. Every failure of the database comes out as a StoreError."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection in a write transaction, committed at the end, rolled back on an exception.

        Raises:
            StoreError: the database is locked, full, broken or gone.
        """
        self._expect_file()
        try:
            with self._engine.begin() as connection:
                yield connection
        except DatabaseError as error:
            raise StoreError(f"store {self.path}: {_reason(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that only reads, on one state of the data.

        Raises:
            StoreError: as in `transaction`.
        """
        self._expect_file()
        try:
            with self._engine.connect().execution_options(reading=True) as connection:
                yield connection
        except DatabaseError as error:
            raise StoreError(f"store {self.path}: {_reason(error)}") from error

    def _expect_file(self) -> None:
        # SQLite would go on writing into a file that nobody can find any more.
        if not self.path.exists():
            raise StoreError(f"store {self.path}: the file is gone")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_store(path: Path) -> Store:
    """Open the store at `path`; make it where there is none; upgrade it where it is older.

    Raises:
        StoreError: it cannot be opened; or a newer Sinkhole wrote it, in which case it is left untouched.
    """
    _set_broken_aside(path)
    is_new = not path.exists()
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(fd)
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(f"store {path}: cannot be opened: {error.strerror}") from error
    try:
        upgrade(path, is_new=is_new)
    except NewerStoreError as error:
        raise StoreError(f"store {path}: {error}") from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise StoreError(f"store {path}: {_reason(error)}") from error
    return Store(path, _engine(path))


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        prepare_connection(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Take the write lock at once: a transaction that upgrades a read lock fails instead of waiting.
        is_reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def prepare_connection(connection: sqlite3.Connection) -> None:
    """Set what every connection needs: WAL, no fsync per commit, a bounded wait for locks, foreign keys."""
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where sqlite3 guesses
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _set_broken_aside(path: Path) -> None:
    """Move a file that is no readable database to `NAME.broken-TIME`, with its journal, and say so."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_HEADER)) == _HEADER
    except OSError as error:
        raise StoreError(f"store {path}: cannot be read: {error.strerror}") from error
    why = _what_is_broken(path) if is_sqlite else "is no SQLite database"
    if why is None:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.broken-{stamp}{suffix}"))
    _LOG.error("store.broken", path=path, why=why, kept_as=f"{path.name}.broken-{stamp}")


def _what_is_broken(path: Path) -> str | None:
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            (check,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        raise StoreError(f"store {path}: {error}") from error  # locked, or not ours to read: not broken
    except sqlite3.DatabaseError as error:
        return str(error)
    if check != "ok":
        return str(check)
    if tables and "alembic_version" not in tables:
        return "is the database of another program"
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, DatabaseError | OperationalError) and error.orig is not None:
        return str(error.orig)
    return str(error)
