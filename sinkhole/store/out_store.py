"""How far each receiver has come, and what of the audit log comes next for it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from sinkhole.noted import AuditEntry
from sinkhole.store.database import Store

_TABLES = {"hits": "hit", "alerts": "alert", "audit": "audit"}
"""Where each kind of event is; their ids are never given twice. Reports are nowhere: one is made when it is due, and
its number is the end of its time in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a receiver has come with one kind of event.

    Attributes:
        position: id of the last that it took, or that was not meant for it.
        sent: how many it took.
        lost: how many were deleted for their age before it took them.
        at: when it last took some (epoch seconds), or None.
        failing, why: since when it takes nothing, and why; None while all is well.
    """

    receiver: str
    what: str
    position: int
    sent: int = 0
    lost: int = 0
    at: int | None = None
    failing: int | None = None
    why: str | None = None


class OutStore:
    """Read and move cursors; `store` is where they are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, receiver: str, what: str) -> Cursor:
        """Return the cursor of a receiver; a new one begins behind what there is now, of reports at the epoch."""
        with self._store.transaction() as connection:
            found = _cursors(connection, receiver, what)
            if found:
                return found[0]
            cursor = Cursor(receiver, what, _newest(connection, what))
            connection.exec_driver_sql(
                "INSERT INTO out_cursor (receiver, what, position, sent, lost) VALUES (?, ?, ?, 0, 0)",
                (receiver, what, cursor.position),
            )
            return cursor

    def move(self, receiver: str, what: str, position: int, sent: int, lost: int = 0) -> None:
        """Note what a receiver took; it is well then."""
        now = int(time.time()) if sent else None
        with self._store.transaction() as connection:
            connection.exec_driver_sql(
                "UPDATE out_cursor SET position = ?, sent = sent + ?, lost = lost + ?, at = COALESCE(?, at), "
                "failing = NULL, why = NULL WHERE receiver = ? AND what = ?",
                (position, sent, lost, now, receiver, what),
            )

    def note_failure(self, receiver: str, what: str, why: str) -> None:
        """Note that a receiver takes nothing, and why."""
        with self._store.transaction() as connection:
            connection.exec_driver_sql(
                "UPDATE out_cursor SET failing = COALESCE(failing, ?), why = ? WHERE receiver = ? AND what = ?",
                (int(time.time()), why, receiver, what),
            )

    def cursors(self) -> list[Cursor]:
        """Return all, by receiver."""
        with self._store.reading() as connection:
            return _cursors(connection)

    def behind(self, cursor: Cursor) -> int:
        """Return how many events a receiver has not taken, about: what is left out for it counts too."""
        if cursor.what not in _TABLES:
            return 0
        with self._store.reading() as connection:
            table = _TABLES[cursor.what]
            sql = f"SELECT COUNT(*) FROM {table} WHERE id > ?"  # noqa: S608 - a table of ours
            return int(connection.exec_driver_sql(sql, (cursor.position,)).scalar_one())

    def oldest(self, what: str) -> int:
        """Return the id of the oldest event that there is; of none, the next."""
        with self._store.reading() as connection:
            sql = f"SELECT MIN(id) FROM {_TABLES[what]}"  # noqa: S608 - a table of ours
            found = connection.exec_driver_sql(sql).scalar()
            return 1 + _newest(connection, what) if found is None else int(found)

    def newest(self, what: str) -> int:
        """Return the id of the last event that there was."""
        with self._store.reading() as connection:
            return _newest(connection, what)

    def audit_after(self, position: int, limit: int) -> list[AuditEntry]:
        """Return the entries of the audit log that follow one, oldest first."""
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(
                'SELECT id, at, who, origin, what, "before", "after", digest FROM audit WHERE id > ? '
                "ORDER BY id LIMIT ?",
                (position, limit),
            )
            return [AuditEntry(*row) for row in rows]


def _newest(connection: Connection, what: str) -> int:
    if what not in _TABLES:
        return 0
    # Not MAX(id): what was deleted was there, and its id is never given again.
    sql = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    return int(connection.exec_driver_sql(sql, (_TABLES[what],)).scalar() or 0)


def _cursors(connection: Connection, receiver: str | None = None, what: str | None = None) -> list[Cursor]:
    rows: Iterable[Sequence[object]] = connection.exec_driver_sql(
        "SELECT receiver, what, position, sent, lost, at, failing, why FROM out_cursor "
        "WHERE (?1 IS NULL OR receiver = ?1) AND (?2 IS NULL OR what = ?2) ORDER BY receiver, what",
        (receiver, what),
    )
    return [Cursor(*row) for row in rows]  # type: ignore[arg-type]
