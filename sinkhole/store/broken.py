"""Tell a store that is broken or not ours, and move it aside: never deleted, never in the way (R-D03).

The tables that policy is made of are checked at every opening; they are small. The hits are not: reading half a
gigabyte would cost every command seconds. They are checked when SQLite has met something broken in them, and by the
server after a crash.
"""

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sinkhole.errors import StoreError
from sinkhole.log import Log

APPLICATION_ID = 0x53_49_4E_4B
"""`SINK`, which the first migration writes into the header of the file."""
_HEADER = b"SQLite format 3\0"
_PARTS = ("", "-wal", "-shm")
_CHECKED = (
    "alembic_version", "client_group", "group_member", "statement", "feed", "audit", "handover", "counter", "candidate",
)  # fmt: skip
_NOT_OURS = ("is no SQLite database", "is the database of another program")
_LOG = Log("store")


def is_corruption(error: BaseException) -> bool:
    """Whether an error says that the file is not what it should be, rather than locked, full or gone."""
    if isinstance(error, UnicodeDecodeError) or "Could not decode to UTF-8" in str(error):
        return True  # a text, or a message that quotes one, that no working store holds
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def distrust(path: Path) -> None:
    """Have the whole file checked by whoever opens it next."""
    with suppress(OSError):  # on a full disk the next failure tries again
        _mark(path).touch(mode=0o600)


def was_left_open(path: Path) -> bool:
    """Whether whoever had the store last did not close it, or still has it."""
    journal = path.with_name(path.name + "-wal")
    return journal.exists() and journal.stat().st_size > 0


def set_broken_aside(path: Path, timeout: float, *, is_thorough: bool) -> Path | None:
    """Move a file that is no store of ours to `NAME.broken-TIME`, with its journal, and say so.

    Args:
        timeout: seconds to wait for a lock.
        is_thorough: look through the whole file.

    Returns:
        The new place of a database of ours that was moved, None if there is nothing to be had from one.

    Raises:
        StoreError, OSError: it cannot be read or moved.
    """
    if not path.exists() or path.stat().st_size == 0:
        # A journal whose store is gone must not be played into a new one.
        if any(path.with_name(path.name + suffix).exists() for suffix in _PARTS[1:]):
            _move(path, "its journal was left behind")
        return None
    why = _what_is_broken(path, timeout, is_doubtful=is_thorough or _mark(path).exists())
    kept = None if why is None else _move(path, why)
    _mark(path).unlink(missing_ok=True)
    return kept if why not in _NOT_OURS else None


def _what_is_broken(path: Path, timeout: float, *, is_doubtful: bool) -> str | None:
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            return _NOT_OURS[0]
    try:
        with closing(sqlite3.connect(path, timeout=timeout)) as connection:
            return _check(connection, is_doubtful=is_doubtful)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if is_corruption(error):
            return str(error)
        raise StoreError(f"store {path}: {error}") from error  # locked, or not ours to read: not broken


def _check(connection: sqlite3.Connection, *, is_doubtful: bool) -> str | None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        return _NOT_OURS[1]
    if is_doubtful:
        checks = ["PRAGMA integrity_check(1)"]
    else:
        checks = [f"PRAGMA quick_check('{name}')" for name in _CHECKED if name in tables]
    for check in checks:
        (found,) = connection.execute(check).fetchone()
        if found != "ok":
            return str(found)
    return None


def _move(path: Path, why: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = path.with_name(f"{path.name}.broken-{stamp}")
    for suffix in _PARTS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    _LOG.error("store.broken", path=path, why=why, kept_as=kept.name)
    return kept


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.doubtful")
