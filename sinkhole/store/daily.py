"""Sums of whole days (UTC), made before hits are forgotten; they hold no client and stay for years."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import CLIENTS, COUNT, GAP
from sinkhole.store.database import Store

KEPT_DAYS = 5 * 366
"""Days that sums are kept: some 100 rows each, 10 MB in all."""
_DAY = 86_400
_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class DaySum:
    """What was done with one product on one day.

    `clients` is right for this row only: one client may be in several. Attempts and hits may be added up. `day` is an
    ISO date; `vendor`, `product` and `group` are None where there was none.
    """

    day: str
    vendor: str | None
    product: str | None
    group: str | None
    action: str
    clients: int
    attempts: int
    hits: int


def day_sums(connection: Connection, since: int, until: int) -> list[DaySum]:
    """Return the sums of the days that overlap two times (epoch seconds), in order."""
    rows = connection.exec_driver_sql(
        'SELECT day, vendor, product, "group", action, clients, attempts, hits FROM daily '
        'WHERE day BETWEEN ? AND ? ORDER BY day, vendor, product, "group", action',
        (since // _DAY, until // _DAY),
    )
    return [_day_sum(*row) for row in rows]


def sum_days(store: Store, attempt_window: int, now: float) -> Iterator[int]:
    """Sum up the days that are over and not summed up yet, and forget the oldest sums; yield each day.

    What is summed up stays as it is, whatever the clock does later (R-D10).
    """
    today = int(now) // _DAY
    first = today - KEPT_DAYS
    while (day := _next_day(store, first)) is not None and day < today:
        first = day + 1
        # Read first, which disturbs no writer; what is written then is little.
        with store.reading() as connection:
            if connection.exec_driver_sql("SELECT 1 FROM daily WHERE day = ? LIMIT 1", (day,)).fetchone():
                continue
            rows = _sums(connection, day, attempt_window)
        with store.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO daily VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.exec_driver_sql("DELETE FROM daily WHERE day < ?", (today - KEPT_DAYS,))
        yield day


def _next_day(store: Store, first: int) -> int | None:
    """Return the first day from `first` on that has hits; a clock that was wrong once may leave years without."""
    with store.reading() as connection:
        sql = "SELECT MIN(minute) FROM hit WHERE minute >= ?"
        minute = connection.exec_driver_sql(sql, (first * _MINUTES,)).scalar()
    return None if minute is None else int(minute) // _MINUTES


def _sums(connection: Connection, day: int, attempt_window: int) -> list[tuple[int | str, ...]]:
    sql = f"""
        WITH hits AS (
            SELECT vendor, product, "group" AS grp, action, client, count, {GAP.format(by="client, vendor")}
            FROM hit WHERE minute >= :first AND minute < :after
        )
        SELECT :day, COALESCE(v.text, ''), COALESCE(p.text, ''), COALESCE(g.text, ''), action,
               {CLIENTS}, {COUNT}, SUM(count)
        FROM hits LEFT JOIN word v ON v.id = vendor LEFT JOIN word p ON p.id = product LEFT JOIN word g ON g.id = grp
        GROUP BY 2, 3, 4, 5
    """  # noqa: S608 - constants only, values are bound
    bound = {"day": day, "first": day * _MINUTES, "after": (day + 1) * _MINUTES, "window": attempt_window}
    return [tuple(row) for row in connection.exec_driver_sql(sql, bound)]


def _day_sum(day: int, vendor: str, product: str, group: str, action: int, *counts: int) -> DaySum:
    date = time.strftime("%Y-%m-%d", time.gmtime(day * _DAY))
    return DaySum(date, vendor or None, product or None, group or None, str(Action(action)), *counts)
