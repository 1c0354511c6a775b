"""Open the store: one SQLite file, made, migrated and guarded; and run transactions on it."""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sinkhole.errors import StoreError
from sinkhole.store.broken import distrust, is_corruption, set_broken_aside
from sinkhole.store.held import HeldConnection, identity_of, looking_at
from sinkhole.store.migrate import upgrade
from sinkhole.store.salvage import salvage
from sinkhole.store.span_cache import SpanCache

BUSY_TIMEOUT = 5.0
"""Seconds that a lock of another process is waited for."""
_WAL_KEPT = 16 * 1024 * 1024
"""Octets of the journal that stay on disk after a burst."""
_LOOK_EVERY = 20_000
"""Steps of SQLite's machine between looks at whether a query has had its time: a millisecond or less."""


class BrokenStoreError(StoreError):
    """SQLite met something that no working store holds; the next opening looks through all of it."""


class Store:
    """An open store. Every failure of the database comes out as a StoreError."""

    def __init__(self, path: Path, engine: Engine, spans: SpanCache | None = None) -> None:
        self.path = path
        self.spans = spans or SpanCache()
        self.identity = identity_of(path)
        self._engine = engine
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection in a write transaction, committed at the end, rolled back on an exception.

        Within another transaction of this thread it is a part of that one, which alone commits.

        Raises:
            StoreError: the database is locked, full, broken or gone.
        """
        outer: Connection | None = getattr(self._local, "connection", None)
        if outer is not None:
            with self._errors(), outer.begin_nested():
                yield outer
            return
        self._expect_file()
        with self._errors(), self._engine.begin() as connection:
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that only reads, on one state of the data: that of the transaction it is used in, if any.

        Raises:
            StoreError: as in `transaction`.
        """
        outer: Connection | None = getattr(self._local, "connection", None) or getattr(self._local, "reader", None)
        if outer is not None:
            with self._errors():
                yield outer
            return
        self._expect_file()
        with self._errors(), ExitStack() as own:
            stack: ExitStack | None = getattr(self._local, "stack", None)
            opened = self._engine.connect().execution_options(reading=True)
            connection = (own if stack is None else stack).enter_context(opened)
            self._local.reader = None if stack is None else connection
            yield connection

    @contextmanager
    def reading_once(self) -> Iterator[None]:
        """Let all that this thread reads meanwhile be read from one state of the data, and over one connection."""
        with self._errors(), ExitStack() as stack:
            self._local.stack = stack
            try:
                yield
            finally:
                self._local.stack = self._local.reader = None

    def _expect_file(self) -> None:
        # SQLite would go on writing into a file that nobody can find any more.
        if self.identity is None or identity_of(self.path) != self.identity:
            raise StoreError(f"store {self.path}: the file is gone, or another took its place")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
            raise _failure(self.path, error) from error
        except UnicodeEncodeError as error:
            raise StoreError(f"store {self.path}: a text holds what Unicode does not permit: {error.reason}") from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_store(path: Path, *, is_thorough: bool = True, busy_timeout: float = BUSY_TIMEOUT) -> Store:
    """Open the store at `path`; make it where there is none; upgrade it where it is older.

    A file that is broken or not ours is moved aside, and policy and feeds are taken over from it where they are whole.

    Args:
        is_thorough: look for damage through the whole file, which may take seconds; else only through policy.
        busy_timeout: seconds that a lock of another process is waited for.

    Raises:
        StoreError: it cannot be opened; or a newer Sinkhole wrote it, in which case it is left untouched.
    """
    try:
        with _one_opener(path.parent, busy_timeout):
            with looking_at(path, busy_timeout if is_thorough else 0.0) as may_look:
                if may_look:  # else this process has it open, so it was looked at
                    aside = set_broken_aside(path, busy_timeout, is_thorough=is_thorough)
                    _make(path)
                    upgrade(path)
                    if aside is not None:
                        salvage(aside, path)
            return Store(path, _engine(path, busy_timeout))
    except OSError as error:
        raise StoreError(f"store {path}: cannot be opened: {error.strerror}") from error
    except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
        raise _failure(path, error) from error


def open_for_reading(path: Path, is_over: Callable[[], bool], spans: SpanCache | None = None) -> Store:
    """Open a store that is there for reading alone: beside its one writer, which it never waits for nor delays.

    Args:
        is_over: whether a query that runs has had its time, and is ended with a StoreError.
        spans: what others that read the same store keep.

    Raises:
        StoreError: there is none.
    """
    if identity_of(path) is None:
        raise StoreError(f"store {path}: is not there")
    # Not `mode=ro`: a reader of a journal that nobody has open must make its index.
    place = {"mode": "rw", "uri": "true"}
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query=place)
    # No connection stays open between requests: whoever must look at a broken file waits for all of them.
    engine = create_engine(url, connect_args=_connect_args(path, BUSY_TIMEOUT), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(is_over, _LOOK_EVERY)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return Store(path, engine, spans)


@contextmanager
def _one_opener(folder: Path, seconds: float) -> Iterator[None]:
    """Keep others from making, moving or upgrading a store of this folder meanwhile: a lock on the folder itself."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(f"store in {folder}: another process has been opening it for long") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(fd)


def _make(path: Path) -> None:
    """Make the file if there is none, and keep it and its journal from others' eyes."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(fd)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.chmod(0o600)


def _engine(path: Path, busy_timeout: float) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args=_connect_args(path, busy_timeout))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where sqlite3 guesses
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # no fsync per commit; WAL stays whole after a crash
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Take the write lock at once: a transaction that upgrades a read lock fails instead of waiting.
        is_reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def _connect_args(path: Path, busy_timeout: float) -> dict[str, Any]:
    return {"timeout": busy_timeout, "factory": partial(HeldConnection, path=path)}


def _failure(path: Path, error: Exception) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if is_corruption(cause):
        distrust(path)
        return BrokenStoreError(f"store {path}: {cause}")
    return StoreError(f"store {path}: {cause}")
