"""Exactly once: which batch of which worker was taken last, and which it still owes."""

from sqlalchemy import Connection

_WORKERS_KEPT = 1000
"""Workers remembered, those heard of last; their names never repeat. Not by age: the clock may jump."""


class Debts:
    """Batches that could not be stored, kept in memory over a store that is lost and made anew.

    A new store knows of no batches and takes the first that comes. Without this, batch 5 would be stored while batch 4,
    refused a moment ago, waits to be sent again, and 4 would then count as stored long before.
    """

    def __init__(self) -> None:
        self._owed: dict[str, int] = {}

    def permits(self, worker: str, seq: int) -> bool:
        """Whether no earlier batch of this worker is still owed."""
        return seq <= self._owed.get(worker, seq)

    def note_failure(self, worker: str, seq: int) -> None:
        """A batch was not stored; it must come before its followers."""
        self._owed[worker] = min(seq, self._owed.get(worker, seq))

    def note_success(self, worker: str, seq: int) -> None:
        """A batch is stored."""
        if self._owed.get(worker) == seq:
            del self._owed[worker]


def last_taken(connection: Connection, worker: str) -> int:
    """Return the number of the last batch taken from a worker, 0 for none."""
    row = connection.exec_driver_sql("SELECT seq FROM handover WHERE worker = ?", (worker,)).fetchone()
    return int(row[0]) if row else 0


def note_taken(connection: Connection, worker: str, seq: int, now: int) -> None:
    """Write that a batch is taken, in the transaction that stores it."""
    connection.exec_driver_sql(
        "INSERT INTO handover (worker, seq, at) VALUES (?, ?, ?) "
        "ON CONFLICT (worker) DO UPDATE SET seq = excluded.seq, at = excluded.at",
        (worker, seq, now),
    )
    if seq == 1:
        connection.exec_driver_sql(
            "DELETE FROM handover WHERE worker <> ? AND worker NOT IN "
            "(SELECT worker FROM handover ORDER BY at DESC LIMIT ?)",
            (worker, _WORKERS_KEPT),
        )
