"""What hits and the sums of days tell for a report: who did what with which vendor, and when, in few passes."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import GAP
from sinkhole.store.database import Store

_DAY = 86_400
_MINUTES = 1440
_BEGINS = "(gap IS NULL OR gap > :window)"
_IN_RANGE = "last >= :since AND last < :until AND minute >= :minute AND vendor IS NOT NULL"
_PAIRS = f"""
    SELECT client, vendor, grp, SUM({_BEGINS}), SUM(count), SUM(CASE WHEN action = :block THEN count ELSE 0 END),
           SUM(CASE WHEN action = :coach THEN count ELSE 0 END), MIN(first), MAX(last),
           SUM({_BEGINS} AND first < :pivot)
    FROM (SELECT client, vendor, "group" AS grp, action, count, first, last, {GAP.format(by="client, vendor")}
          FROM hit WHERE {_IN_RANGE})
    GROUP BY client, vendor, grp
"""  # noqa: S608 - constants only, values are bound
_DAYS = f"""
    SELECT first / {_DAY}, vendor, SUM({_BEGINS})
    FROM (SELECT vendor, first, {GAP.format(by=f"client, vendor, first / {_DAY}")} FROM hit WHERE {_IN_RANGE})
    GROUP BY 1, 2
"""  # noqa: S608 - the same


class PairCount(NamedTuple):
    """What one client did with one vendor in one group; times are epoch seconds.

    `before` are attempts that began before the pivot. `client` is empty where it is not stored.
    """

    client: str
    vendor: str
    group: str | None
    attempts: int
    hits: int
    blocked: int
    coached: int
    first: int
    last: int
    before: int


class DayCount(NamedTuple):
    """Attempts and hits of one day (since the epoch, UTC), from the sums, which know no clients."""

    day: int
    vendor: str
    group: str | None
    attempts: int
    hits: int
    blocked: int
    coached: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """How far records go back: the minute of the oldest hit, and the first and last day that is summed up."""

    oldest_minute: int | None
    first_day: int | None
    last_day: int | None


class EvidenceCounts:
    """Read-only questions.

    Args:
        attempt_window: seconds.
    """

    def __init__(self, store: Store, attempt_window: int) -> None:
        self._store = store
        self._window = attempt_window

    def recorded(self) -> Recorded:
        """Return how far records go back."""
        with self._store.reading() as connection:
            oldest = connection.exec_driver_sql("SELECT MIN(minute) FROM hit").scalar()
            first, last = connection.exec_driver_sql("SELECT MIN(day), MAX(day) FROM daily").one()
        return Recorded(oldest, first, last)

    def pairs(self, since: int, until: int, pivot: int = 0) -> list[PairCount]:
        """Return who did what with which vendor between two times, from hits, in one pass over them."""
        bound = self._bound(since, until) | {
            "block": Action.BLOCK.value, "coach": Action.COACH.value, "pivot": pivot,
        }  # fmt: skip
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(_PAIRS, bound).fetchall()
            words = _words(connection, {number for row in rows for number in row[:3] if number is not None})
        return [
            PairCount(words.get(client, ""), words.get(vendor, ""), None if group is None else words.get(group), *rest)
            for client, vendor, group, *rest in rows
        ]

    def days(self, since: int, until: int, last_summed: int | None) -> dict[int, dict[str, int]]:
        """Return attempts of days by vendor: of whole days from their sums, of the others from hits.

        Args:
            last_summed: the last day that is summed up; None where none is.
        """
        whole = range(-(-since // _DAY), min(until // _DAY, (-1 if last_summed is None else last_summed) + 1))
        found: dict[int, dict[str, int]] = {}
        if not whole:
            _add(found, self._days_of_hits(since, until))
            return found
        _add(found, [(one.day, one.vendor, one.attempts) for one in self.sums(whole.start, whole.stop)])
        _add(found, self._days_of_hits(since, whole.start * _DAY))
        _add(found, self._days_of_hits(whole.stop * _DAY, until))
        return found

    def sums(self, first: int, after: int) -> list[DayCount]:
        """Return the sums of the days from `first` until before `after` (days since the epoch), of vendors only."""
        sql = """
            SELECT day, vendor, NULLIF("group", ''), SUM(attempts), SUM(hits),
                   SUM(CASE WHEN action = ? THEN hits ELSE 0 END), SUM(CASE WHEN action = ? THEN hits ELSE 0 END)
            FROM daily WHERE day >= ? AND day < ? AND vendor <> '' GROUP BY day, vendor, "group"
        """
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(sql, (Action.BLOCK.value, Action.COACH.value, first, after))
            return [DayCount(*row) for row in rows]

    def clients_by(self, since: int, until: int, step_days: int, offset_days: int) -> dict[int, int]:
        """Return how many clients had hits for vendors, by the first day of each span of `step_days`.

        Args:
            offset_days: added to a day before it is divided, so that a span begins where it should.
        """
        sql = f"""
            SELECT (minute / {_MINUTES} + :offset) / :step * :step - :offset, COUNT(DISTINCT client)
            FROM hit WHERE {_IN_RANGE} AND client <> COALESCE((SELECT id FROM word WHERE text = ''), -1) GROUP BY 1
        """  # noqa: S608 - constants only, values are bound
        bound = self._bound(since, until) | {"step": step_days, "offset": offset_days}
        with self._store.reading() as connection:
            return {int(day): int(count) for day, count in connection.exec_driver_sql(sql, bound)}

    def vendors_before(self, at: int, last_summed: int | None) -> set[str]:
        """Return the vendors that were tried before a time: of days that are summed up from their sums."""
        unsummed = min(at // _DAY, (-1 if last_summed is None else last_summed) + 1) * _MINUTES
        with self._store.reading() as connection:
            summed = connection.exec_driver_sql(
                "SELECT DISTINCT vendor FROM daily WHERE day < ? AND vendor <> ''", (at // _DAY,)
            )
            found = {row[0] for row in summed}
            recent = connection.exec_driver_sql(
                "SELECT text FROM word WHERE id IN "
                "(SELECT vendor FROM hit WHERE minute >= ? AND minute <= ? AND first < ?)",
                (unsummed, at // 60, at),
            )
            return found | {row[0] for row in recent}

    def _days_of_hits(self, since: int, until: int) -> list[tuple[int, str, int]]:
        if since >= until:
            return []
        with self._store.reading() as connection:
            rows = connection.exec_driver_sql(_DAYS, self._bound(since, until)).fetchall()
            words = _words(connection, {vendor for _, vendor, _ in rows})
        return [(day, words.get(vendor, ""), attempts) for day, vendor, attempts in rows]

    def _bound(self, since: int, until: int) -> dict[str, int]:
        return {"since": since, "until": until, "minute": since // 60, "window": self._window}


def _add(found: dict[int, dict[str, int]], counts: list[tuple[int, str, int]]) -> None:
    for day, vendor, attempts in counts:
        here = found.setdefault(day, {})
        here[vendor] = here.get(vendor, 0) + attempts


def _words(connection: Connection, numbers: set[int]) -> dict[int, str]:
    """Return the texts of words, a few hundred at a time: there may be more than SQLite binds."""
    found: dict[int, str] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), 500):
        part = tuple(wanted[start : start + 500])
        marks = ", ".join("?" * len(part))
        sql = f"SELECT id, text FROM word WHERE id IN ({marks})"  # noqa: S608 - marks only
        found |= {int(number): str(text) for number, text in connection.exec_driver_sql(sql, part)}
    return found
