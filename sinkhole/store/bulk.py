"""Many rows into one table: several to a statement, which costs half of one each (AUTOINCREMENT is by statement)."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection

_ROWS = 20
"""Rows of a statement. With more it is not faster; SQLite's old limit is 999 bound parameters."""


def insert_rows(connection: Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows of equal width.

    Args:
        into: the statement up to `VALUES`, which is not part of it; never made from what somebody sent.
        rows: bound values.
    """
    if not rows:
        return
    marks = f"({','.join('?' * len(rows[0]))})"
    whole = len(rows) - len(rows) % _ROWS
    lots = [tuple(chain.from_iterable(rows[at : at + _ROWS])) for at in range(0, whole, _ROWS)]
    if lots:
        connection.exec_driver_sql(f"{into} VALUES {','.join([marks] * _ROWS)}", lots)
    if whole < len(rows):
        connection.exec_driver_sql(f"{into} VALUES {marks}", list(rows[whole:]))
