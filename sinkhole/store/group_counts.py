"""What the clients of one group tried: whole days from their sums, the days after from hits."""

from typing import NamedTuple

from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import COUNT, GAP
from sinkhole.store.database import Store

_DAY_MINUTES = 1440
_SUMMED = """
    SELECT vendor, SUM(attempts), SUM(hits), SUM(CASE WHEN action = :block THEN hits ELSE 0 END),
           SUM(CASE WHEN action = :coach THEN hits ELSE 0 END)
    FROM daily WHERE day >= :first AND "group" = :group AND vendor <> '' GROUP BY vendor
"""
_RECENT = f"""
    SELECT (SELECT text FROM word WHERE id = vendor), {COUNT}, SUM(count),
           SUM(CASE WHEN action = :block THEN count ELSE 0 END), SUM(CASE WHEN action = :coach THEN count ELSE 0 END)
    FROM (SELECT vendor, action, count, {GAP.format(by="client, vendor")} FROM hit
          WHERE minute >= :minute AND "group" = (SELECT id FROM word WHERE text = :group) AND vendor IS NOT NULL)
    GROUP BY vendor
"""  # noqa: S608 - constants only, values are bound


class GroupCount(NamedTuple):
    """What a group did with one vendor: attempts, and queries of them, of which so many were blocked or coached."""

    vendor: str
    attempts: int
    queries: int
    blocked: int
    coached: int


def group_counts(store: Store, group: str, first_day: int, attempt_window: int) -> list[GroupCount]:
    """Return what a group tried since the begin of a day (since the epoch, UTC), the most attempts first."""
    with store.reading() as connection:
        summed = connection.exec_driver_sql("SELECT MAX(day) FROM daily").scalar()
        begins = max(first_day, -1 if summed is None else summed + 1)
        bound = {"group": group, "first": first_day, "minute": begins * _DAY_MINUTES, "window": attempt_window,
                 "block": Action.BLOCK.value, "coach": Action.COACH.value}  # fmt: skip
        rows = [*connection.exec_driver_sql(_SUMMED, bound), *connection.exec_driver_sql(_RECENT, bound)]
    found: dict[str, GroupCount] = {}
    for vendor, *counts in rows:
        before = found.get(vendor, GroupCount(vendor, 0, 0, 0, 0))
        found[vendor] = GroupCount(vendor, *(int(a) + int(b) for a, b in zip(before[1:], counts, strict=True)))
    return sorted(found.values(), key=lambda one: (-one.attempts, one.vendor))
