"""Forget old hits: by age, then by size, in slices, so that no other writer waits long (R-D06)."""

from collections.abc import Iterator
from dataclasses import dataclass

from sinkhole.store import counters
from sinkhole.store.client_store import forget_clients
from sinkhole.store.daily import sum_days
from sinkhole.store.database import Store
from sinkhole.store.override_store import forget_grants
from sinkhole.store.slots import forget_changes
from sinkhole.store.summing import forget_deleted
from sinkhole.store.words import delete_unused_words

SLICE = 20_000
"""Rows deleted in one transaction, about 50 ms."""
_PAGES = 2_000
"""Pages given back to the file system in one step."""
_LEAST_SHARE = 100
"""One in so many hits goes at least when there are too many, so that an end comes soon."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long hits are kept: `days`, and not more than `max_bytes` of data.

    Attributes:
        attempt_window: seconds, for the daily sums that are made before hits go.
        activity_days: how long clients and their hours are kept.
        slice_rows: rows deleted in one transaction.
    """

    days: int
    max_bytes: int
    attempt_window: int = 300
    slice_rows: int = SLICE
    activity_days: int = 14


def retain(store: Store, keep: Retention, now: float) -> int:
    """Do all steps of `steps`; return how many hits went.

    Raises:
        StoreError: the store cannot be written; what was deleted stays deleted.
    """
    return sum(steps(store, keep, now))


def steps(store: Store, keep: Retention, now: float) -> Iterator[int]:
    """Sum up the days that are over; delete hits older than `days`, then the oldest until the data is small enough.

    Old grants of the block page go too.

    Each step is a short transaction; a caller may write between them.

    Yields:
        How many hits a step deleted, often 0.
    """
    for _ in sum_days(store, keep.attempt_window, now):
        yield 0
    minute = int(now) // 60 - keep.days * 1440
    while deleted := _delete(store, minute, keep.slice_rows):
        yield deleted
    yield from _delete_words(store, keep.slice_rows)
    with store.transaction() as connection:
        forget_grants(connection, now)
    yield 0
    yield from forget_clients(store, keep.activity_days, now)
    while (goal := _rows_too_many(store, keep.max_bytes)) > 0:
        for start in range(0, goal, keep.slice_rows):
            yield _delete(store, None, min(keep.slice_rows, goal - start))
        yield from _delete_words(store, keep.slice_rows)
    while _give_back(store):
        yield 0


def used_bytes(store: Store) -> int:
    """Return the octets of the pages in use."""
    with store.reading() as connection:
        size, count, free = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_size", "page_count", "freelist_count")
        )
    return size * (count - free)


def _rows_too_many(store: Store, max_bytes: int) -> int:
    """Return how many hits to delete: as large a share of them as the data is too large, 0 where it is not."""
    used = used_bytes(store)
    if used <= max_bytes:
        return 0
    with store.reading() as connection:
        rows = int(connection.exec_driver_sql("SELECT COUNT(*) FROM hit").scalar_one())
    return min(rows, max(rows * (used - max_bytes) // used, rows // _LEAST_SHARE, 1))


def _delete(store: Store, before_minute: int | None, limit: int) -> int:
    """Delete the oldest hits, at most `limit`; with `before_minute`, older ones only."""
    where = "" if before_minute is None else "WHERE minute < ?"
    bound = (limit,) if before_minute is None else (before_minute, limit)
    with store.transaction() as connection:
        deleted = connection.exec_driver_sql(
            f"DELETE FROM hit WHERE id IN (SELECT id FROM hit {where} ORDER BY minute LIMIT ?)",  # noqa: S608
            bound,
        ).rowcount
        if deleted:
            counters.add(connection, counters.DELETIONS)
            forget_deleted(connection)
            forget_changes(connection)
    return int(deleted)


def _delete_words(store: Store, limit: int) -> Iterator[int]:
    last = 0
    while True:
        with store.transaction() as connection:
            deleted, last = delete_unused_words(connection, last, limit)
            if deleted:
                counters.add(connection, counters.DELETIONS)
        if not last:
            return
        yield 0


def _give_back(store: Store) -> bool:
    """Give free pages back to the file system; return whether there were any."""
    with store.transaction() as connection:
        free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
        cursor = connection.connection.cursor()
        for _ in range(min(free, _PAGES)):
            # One at a time: SQLite frees a page a step, and sqlite3 takes one step where no column comes back.
            cursor.execute("PRAGMA incremental_vacuum(1)").fetchall()
    return free > 0
