"""Forget old hits: by age, then by size, in slices, so that no other writer waits long (R-D06)."""

from sinkhole.store.database import Store
from sinkhole.store.words import delete_unused_words

SLICE = 20_000
"""Rows deleted in one transaction, about 100 ms."""
_PAGES = 2_000
"""Pages given back to the file system in one step."""


def retain(store: Store, days: int, max_bytes: int, now: float, slice_rows: int = SLICE) -> int:
    """Delete hits older than `days`, then the oldest until the data in use is at most `max_bytes`.

    Returns:
        How many rows went.

    Raises:
        StoreError: the store cannot be written; what was deleted stays deleted.
    """
    oldest_minute = int(now) // 60 - days * 1440
    gone = 0
    while deleted := _delete(store, oldest_minute, slice_rows):
        gone += deleted
    while (over := used_bytes(store) - max_bytes) > 0:
        deleted = _delete(store, None, max(1, min(slice_rows, over // 64)))
        if not deleted:
            break
        gone += deleted
        _give_back(store)
    if gone:
        with store.transaction() as connection:
            delete_unused_words(connection, slice_rows)
        _give_back(store)
    return gone


def used_bytes(store: Store) -> int:
    """Return the octets of the pages in use."""
    with store.reading() as connection:
        size = int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        count = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    return size * (count - free)


def _delete(store: Store, before_minute: int | None, limit: int) -> int:
    where = "" if before_minute is None else "WHERE minute < :minute"
    with store.transaction() as connection:
        result = connection.exec_driver_sql(
            f"DELETE FROM hit WHERE id IN (SELECT id FROM hit {where} ORDER BY minute LIMIT :limit)",  # noqa: S608
            {"minute": before_minute, "limit": limit} if before_minute is not None else {"limit": limit},
        )
        return int(result.rowcount)


def _give_back(store: Store) -> None:
    with store.transaction() as connection:
        # SQLite frees one page a step, and SQLAlchemy takes no further step where no column comes back.
        connection.connection.cursor().execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
