"""Take policy and feeds over from a broken store: what breaks is nearly always among the hits, which are most of it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sinkhole.log import Log

_NEEDED = ("client_group", "group_member", "statement", "feed")
"""All of these, or nothing: half a policy would be worse than the default."""
_WELCOME = ("audit", "sync_run", "counter")
_LOG = Log("store")


def salvage(broken: Path, store: Path) -> bool:
    """Copy what is whole of `broken` into the new, empty `store` of the same schema; tell whether policy is there."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        try:
            connection.execute("ATTACH ? AS broken", (str(broken),))
            if not _is_of_this_schema(connection):
                return False
            connection.execute("BEGIN IMMEDIATE")
            copied = [_copy(connection, table) for table in _NEEDED]
        except sqlite3.DatabaseError as error:
            _give_up(connection)
            _LOG.error("store.policy_lost", why=error, instead="the default policy", kept_as=broken.name)
            return False
        copied += [_copy_if_whole(connection, table) for table in _WELCOME]
        connection.execute(
            "INSERT INTO audit (at, who, what) VALUES (?, 'sinkhole', ?)",
            (int(time.time()), f"store was broken; policy and feeds taken over from {broken.name}"),
        )
        connection.execute("COMMIT")
    _LOG.warning("store.policy_saved", rows=sum(copied), lost="hits")
    return True


def _is_of_this_schema(connection: sqlite3.Connection) -> bool:
    wanted, found = (
        connection.execute(f"SELECT version_num FROM {name}.alembic_version").fetchall() for name in ("main", "broken")
    )  # fmt: skip
    return bool(wanted == found)


def _copy(connection: sqlite3.Connection, table: str) -> int:
    (found,) = connection.execute(f"PRAGMA broken.quick_check('{table}')").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"{table}: {found}")
    return connection.execute(f"INSERT INTO main.{table} SELECT * FROM broken.{table}").rowcount  # noqa: S608


def _copy_if_whole(connection: sqlite3.Connection, table: str) -> int:
    connection.execute("SAVEPOINT welcome")
    try:
        count = _copy(connection, table)
    except sqlite3.DatabaseError:
        connection.execute("ROLLBACK TO welcome")
        count = 0
    connection.execute("RELEASE welcome")
    return count


def _give_up(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
