"""Numbers of the store that only grow."""

from sqlalchemy import Connection

DROPPED = "hits_dropped"
"""Queries that could not be counted."""
DELETIONS = "deletions"
"""Times that hits or words were deleted: a writer that remembers ids forgets them when this changes."""

SPANS = "spans_made"
"""Times that a span was counted: what is kept of a span goes by its number."""


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
