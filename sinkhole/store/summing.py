"""Make the spans that reports add up, and forget those whose hits changed."""

from array import array
from collections.abc import Iterator

from sqlalchemy import Connection

from sinkhole.store import counters
from sinkhole.store.database import Store
from sinkhole.store.span_cache import Sums
from sinkhole.store.span_runs import HOUR, LEVELS
from sinkhole.store.span_sql import OF_CLIENT, By, Edge, Labels
from sinkhole.store.spans import Spans

GRACE = 120
"""Seconds that an hour is over before it is counted: what workers still have comes meanwhile."""
_HOUR_MINUTES = 60
_MOST_EMPTY = 24 * 31
"""Hours without hits that are counted one by one; after longer ones, which a wrong clock leaves, counting goes on."""
_INTO_SUMS = "INSERT INTO span_sum VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def sum_spans(store: Store, window: int, labels: Labels, now: float) -> Iterator[tuple[int, int]]:
    """Count the spans that are over and not counted yet, each in a short transaction; yield each (hours, begin).

    Args:
        window: seconds, of an attempt.
        labels: products to categories; spans counted by others are counted by these again.
        now: epoch seconds.
    """
    over = int(now - GRACE) // HOUR
    for hours in sorted(LEVELS):
        for begin in _missing(store, hours, over, window):
            _make(store, hours, begin, window, labels, tuple(By))
            yield hours, begin
    for hours, begin in _labelled_otherwise(store, labels):
        _make(store, hours, begin, window, labels, (By.CATEGORY,))
        yield hours, begin


def forget_changed(connection: Connection, first: int, last: int) -> None:
    """Forget the spans that hits of some minutes count for, in the transaction that changes these."""
    connection.exec_driver_sql(
        'DELETE FROM span WHERE (begin + hours) * 60 > ? AND begin * 60 <= ? + "window" / 60 + 1', (first, last)
    )


def newest_hour(connection: Connection) -> int:
    """Return the newest hour that is counted, since the epoch; -1 for none."""
    found = connection.exec_driver_sql("SELECT MAX(begin) FROM span WHERE hours = 1").scalar()
    return -1 if found is None else int(found)


def forget_deleted(connection: Connection) -> None:
    """Forget spans from before the oldest hit and those that it is in, with all counts of them: they hold clients."""
    oldest = connection.exec_driver_sql("SELECT MIN(minute) FROM hit").scalar()
    widest = connection.exec_driver_sql('SELECT MAX("window") FROM span').scalar()
    if widest is None:
        return
    until = 2**60 if oldest is None else (int(oldest) + int(widest) // 60 + 1) // _HOUR_MINUTES + 1
    connection.exec_driver_sql("DELETE FROM span WHERE begin < ?", (until,))
    for by in By:
        for hours in LEVELS:
            place = (by.value, hours, until)
            connection.exec_driver_sql("DELETE FROM span_sum WHERE by = ? AND hours = ? AND begin < ?", place)


def _missing(store: Store, hours: int, over: int, window: int) -> Iterator[int]:
    """Yield the beginnings of spans of so many hours that are over and not counted."""
    with store.reading() as connection:
        known = connection.exec_driver_sql('SELECT begin FROM span WHERE hours = ? AND "window" = ?', (hours, window))
        done = {int(begin) for (begin,) in known}
    at = -1
    while (at := _next(store, at, hours, done)) + hours <= over:
        yield at
        done.add(at)


def _next(store: Store, after: int, hours: int, done: set[int]) -> int:
    """Return the next beginning behind `after` that is not done; the first is where all hits are still there.

    Returns:
        One that is never over, if no more hits follow.
    """
    with store.reading() as connection:
        if after < 0:
            oldest = connection.exec_driver_sql("SELECT MIN(minute) FROM hit").scalar()
            at = 2**50 if oldest is None else -(-(int(oldest) // _HOUR_MINUTES + 1) // hours) * hours
        else:
            at = after + hours
        while True:
            while at in done:
                at += hours
            sql = "SELECT MIN(minute) FROM hit WHERE minute >= ?"
            minute = connection.exec_driver_sql(sql, (at * _HOUR_MINUTES,)).scalar()
            if minute is None:
                return 2**50
            found = int(minute) // _HOUR_MINUTES // hours * hours
            if found <= at + _MOST_EMPTY:  # a night without hits is counted too, as nothing
                return at
            at = found


def _labelled_otherwise(store: Store, labels: Labels) -> list[tuple[int, int]]:
    with store.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT hours, begin FROM span WHERE labels <> ? ORDER BY hours, begin", (labels.digest,)
        )
        return [(int(hours), int(begin)) for hours, begin in rows]


def _make(store: Store, hours: int, begin: int, window: int, labels: Labels, by: tuple[By, ...]) -> None:
    since, until = Edge(begin * HOUR), Edge((begin + hours) * HOUR)
    with store.transaction() as connection:
        spans = Spans(connection, window, labels, below=hours)
        for one in by:
            sums = spans.begun(one, since, until)
            place = (one.value, hours, begin)
            connection.exec_driver_sql("DELETE FROM span_sum WHERE by = ? AND hours = ? AND begin = ?", place)
            if sums:
                connection.exec_driver_sql(_INTO_SUMS, _rows(place, sums))
        counters.add(connection, counters.SPANS)
        serial = counters.read(connection, counters.SPANS)
        row = (hours, begin, window, labels.digest, serial)
        connection.exec_driver_sql("INSERT OR REPLACE INTO span VALUES (?, ?, ?, ?, ?)", row)


def _rows(place: tuple[int, int, int], sums: Sums) -> list[tuple[int | bytes | None, ...]]:
    is_of_clients = By(place[0]) in OF_CLIENT
    return [
        (*place, key, part, one.attempts, one.hits, one.blocked, one.coached, one.first, one.last,
         None if is_of_clients else array("I", sorted(one.clients)).tobytes())
        for (key, part), one in sorted(sums.items())
    ]  # fmt: skip
