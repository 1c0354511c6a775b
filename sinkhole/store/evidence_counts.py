"""What hits and the sums of days tell for a report: who did what with which vendor, and when."""

from dataclasses import dataclass
from typing import NamedTuple

from sinkhole.policy.verdict import Action
from sinkhole.store.database import Store
from sinkhole.store.span_cache import Sum, Sums
from sinkhole.store.span_sql import By, Edge
from sinkhole.store.spans import Spans
from sinkhole.store.words import word_of

_DAY = 86_400


class Tried(NamedTuple):
    """What was done with one vendor in one group, or by one client; without a pivot `before` and `after` are empty.

    `part` is the group or the client; None for no group, empty for a client that is not stored.
    """

    part: str | None
    vendor: str
    whole: Sum
    before: Sum
    after: Sum


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
            first, last = connection.exec_driver_sql(
                "SELECT (SELECT MIN(day) FROM daily), (SELECT MAX(day) FROM daily)"
            ).one()
        return Recorded(oldest, first, last)

    def tried(self, by: By, since: int, until: int, pivot: int | None = None) -> list[Tried]:
        """Return who did what with which vendor between two times.

        Args:
            by: `VENDOR`, which has a group as its part, or `PAIR`, of clients.
            pivot: tell what began before and after it, too.
        """
        with self._store.reading() as connection:
            spans = Spans.of(self._store, connection, self._window)
            if pivot is None or not since < pivot < until:
                before, after, whole = {}, {}, spans.sums(by, since, until)
            else:
                before = spans.begun(by, Edge(since), Edge(pivot, is_by_first=True))
                before = _together(before, spans.under_way(by, since, Edge(pivot, is_by_first=True)))
                after = spans.begun(by, Edge(pivot, is_by_first=True), Edge(until))
                whole = _together(before, after)
            words = spans.texts({number for pair in whole for number in pair})
        empty = Sum()
        return [
            Tried(*_named(by, pair, words), one, before.get(pair, empty), after.get(pair, empty))
            for pair, one in whole.items()
            if pair[1] or by is not By.PAIR
        ]

    def days(self, since: int, until: int, vendor: str | None = None) -> dict[int, dict[str, int]]:
        """Return attempts by vendor that began on each day: from the sums of days where hits are gone.

        Args:
            vendor: of this one alone, which is faster; None: of all.
        """
        oldest = self.recorded().oldest_minute
        kept = _DAY * (until // _DAY if oldest is None else oldest * 60 // _DAY)
        found: dict[int, dict[str, int]] = {}
        for one in self.sums(-(-since // _DAY), min(kept, until) // _DAY):
            if vendor in (None, one.vendor):
                here = found.setdefault(one.day, {})
                here[one.vendor] = here.get(one.vendor, 0) + one.attempts
        with self._store.reading() as connection:
            spans, since = Spans.of(self._store, connection, self._window), max(since, kept)
            only = None if vendor is None else word_of(connection, vendor)
            if vendor is None or only is not None:
                for begin, end in spans.within(since, until):
                    _add_days(found, spans, begin, end, only, is_cut=begin == since)
        return {day: attempts for day, attempts in found.items() if attempts}

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
        """Return how many clients began an attempt with a vendor, by the first day of each span of `step_days`.

        Args:
            offset_days: added to a day before it is divided, so that a span begins where it should.
        """
        found: dict[int, set[int]] = {}
        with self._store.reading() as connection:
            spans = Spans.of(self._store, connection, self._window)
            for begin, end in spans.within(since, until):
                of_days = spans.clients_by_day(begin, end)
                if begin == since:
                    of_days[begin // _DAY] |= spans.under_way(By.ALL, since, Edge(until)).get((1, 0), Sum()).clients
                for day, clients in of_days.items():
                    place = (day + offset_days) // step_days * step_days - offset_days
                    found.setdefault(place, set()).update(clients)
        return {day: len(clients) for day, clients in found.items() if clients}

    def vendors_before(self, at: int) -> set[str]:
        """Return the vendors that were tried before a time: where hits are gone, those of the sums of days."""
        oldest = self.recorded().oldest_minute
        kept = at if oldest is None else min(at, oldest * 60)
        with self._store.reading() as connection:
            summed = connection.exec_driver_sql(
                "SELECT DISTINCT vendor FROM daily WHERE day < ? AND vendor <> ''", (kept // _DAY,)
            )
            found = {str(vendor) for (vendor,) in summed}
            spans = Spans.of(self._store, connection, self._window)
            seen = spans.keys(By.VENDOR, Edge(kept), Edge(at, is_by_first=True))
            return found | set(spans.texts(seen).values())


def _add_days(
    found: dict[int, dict[str, int]], spans: Spans, begin: int, end: int, only: int | None, *, is_cut: bool
) -> None:  # fmt: skip
    """Add attempts of a time by day and vendor; `is_cut` says that some may have been under way at its beginning."""
    of_days = spans.attempts_by(24, By.VENDOR, begin, end, only)
    if only is not None:  # told by group then
        of_days = {day: {only: sum(attempts.values())} for day, attempts in of_days.items() if attempts}
    if is_cut:
        for (vendor, _), going_on in spans.under_way(By.VENDOR, begin, Edge(end), only).items():
            began = of_days.setdefault(begin // _DAY, {})
            began[vendor] = began.get(vendor, 0) + going_on.attempts
    words = spans.texts({vendor for attempts in of_days.values() for vendor in attempts})
    for day, attempts in of_days.items():
        here = found.setdefault(day, {})
        for vendor, count in attempts.items():
            here[words[vendor]] = here.get(words[vendor], 0) + count


def _together(before: Sums, after: Sums) -> Sums:
    found: Sums = {}
    for sums in (before, after):
        for pair, one in sums.items():
            found.setdefault(pair, Sum()).join(one)
    return found


def _named(by: By, pair: tuple[int, int], words: dict[int, str]) -> tuple[str | None, str]:
    if by is By.PAIR:
        return words.get(pair[0], ""), words.get(pair[1], "")
    return words.get(pair[1]), words.get(pair[0], "")
