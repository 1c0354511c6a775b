"""Numbers of the store that only grow."""

from sqlalchemy import Connection

DROPPED = "hits_dropped"
"""Queries that could not be counted."""
DELETIONS = "deletions"
"""Times that hits or words were deleted: a writer that remembers ids forgets them when this changes."""
DAYS_SUMMED = "days_summed"
"""The first day, since the epoch, that is not in `daily` yet."""


def read(connection: Connection, name: str) -> int:
    """Return a counter, 0 where it was never set."""
    row = connection.exec_driver_sql("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def add(connection: Connection, name: str, amount: int = 1) -> None:
    """Raise a counter."""
    connection.exec_driver_sql(
        "INSERT INTO counter (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, amount),
    )


def raise_to(connection: Connection, name: str, value: int) -> None:
    """Set a counter that is lower than `value` to it."""
    connection.exec_driver_sql(
        "INSERT INTO counter (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (name, value),
    )
