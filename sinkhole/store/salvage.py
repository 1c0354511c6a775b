"""Take policy and feeds over from a broken store: what breaks is nearly always among the hits, which are most of it."""

import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path

from sinkhole.log import Log
from sinkhole.store.audit import INSERT, LAST, next_entry

_NEEDED = ("client_group", "group_member", "statement", "feed")
"""All of these, or nothing: half a policy would be worse than the default."""
_WELCOME = (
    "expectation", "policy_exception", "override", "audit", "sync_run", "counter", "candidate", "admin_account",
    "admin_token",
)  # fmt: skip
_PAGE_SIZE, _PAGE_COUNT = 16, 28
"""Where the header of the file holds them (SQLite file format, section 1.3)."""
_LOG = Log("store")


def salvage(broken: Path, store: Path) -> bool:
    """Copy what is whole of `broken` into the new, empty `store`; tell whether policy is there.

    The broken file stays as it is: what is read is a copy.
    """
    try:
        with tempfile.TemporaryDirectory(dir=store.parent, prefix=".salvage-") as scratch:
            rows = _copy_tables(_readable_copy(broken, Path(scratch)), store, broken.name)
    except (OSError, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        _LOG.error("store.policy_lost", why=error, instead="the default policy", kept_as=broken.name)
        return False
    _LOG.warning("store.policy_salvaged", rows=rows, lost="hits", kept_as=broken.name)
    return True


def _readable_copy(broken: Path, folder: Path) -> Path:
    """Copy the file and its journal; fill up one that was cut short, of which SQLite would read nothing."""
    copy = folder / "copy.db"
    shutil.copyfile(broken, copy)
    journal = broken.with_name(broken.name + "-wal")
    if journal.exists():
        shutil.copyfile(journal, copy.with_name("copy.db-wal"))
    with copy.open("r+b") as file:
        header = file.read(100).ljust(100, b"\0")
        (page_size,) = struct.unpack_from(">H", header, _PAGE_SIZE)
        (page_count,) = struct.unpack_from(">I", header, _PAGE_COUNT)
        wanted = page_count * (65_536 if page_size == 1 else page_size)
        if copy.stat().st_size < wanted:
            file.truncate(wanted)  # a hole, which takes no space
    return copy


def _copy_tables(source: Path, store: Path, name: str) -> int:
    # Asked on a connection of their own: one that met a broken page refuses to write to any file afterwards.
    with closing(sqlite3.connect(source)) as connection:
        broken = {table: why for table in _NEEDED + _WELCOME if (why := _what_is_broken(connection, table))}
    for table in _NEEDED:
        if table in broken:
            raise sqlite3.DatabaseError(f"{table}: {broken[table]}")
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("ATTACH ? AS broken", (str(source),))
        connection.execute("BEGIN IMMEDIATE")  # closing without a commit rolls back
        _expect_same_schema(connection)
        rows = 0
        for table in (*_NEEDED, *_WELCOME):
            if table not in broken:
                rows += connection.execute(f"INSERT INTO main.{table} SELECT * FROM broken.{table}").rowcount  # noqa: S608
        last = connection.execute(LAST).fetchone()
        connection.execute(INSERT, next_entry(last, "sinkhole", f"policy and feeds salvaged from {name}"))
        connection.execute("COMMIT")
    return rows


def _what_is_broken(connection: sqlite3.Connection, table: str) -> str | None:
    try:
        (found,) = connection.execute(f"PRAGMA quick_check('{table}')").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return str(error)
    return None if found == "ok" else str(found)


def _expect_same_schema(connection: sqlite3.Connection) -> None:
    ours = connection.execute("SELECT version_num FROM main.alembic_version").fetchall()
    if connection.execute("SELECT version_num FROM broken.alembic_version").fetchall() != ours:
        raise sqlite3.DatabaseError("its schema is another")
