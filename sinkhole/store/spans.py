"""Spans: hours, days and sixteen days whose hits are counted once and kept so, for reports that read no hits.

A report over any time adds up the longest spans that are within it, and counts only the hits of what is left at its
ends. It tells what counting all hits would tell: a span whose hits change later is forgotten (`forget_changed`).
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sinkhole.store.span_sql import By, Edge, Labels, counted, under_way

LEVELS = (384, 24, 1)
"""Hours of a span; each is a multiple of the next, and begins at a multiple of itself since the epoch."""
HOUR = 3600
_DAY_HOURS, _DAY = 24, 86_400
_SCALARS = "attempts, hits, blocked, coached, first, last"
_SUMS = "SUM(attempts), SUM(hits), SUM(blocked), SUM(coached), MIN(first), MAX(last)"
_PLACE = "FROM span_sum WHERE by = ? AND hours = ? AND begin BETWEEN ? AND ?"
_USABLE = (
    'begin >= :begin AND begin + hours <= :end AND hours < :below AND "window" = :window '
    "AND (:labels IS NULL OR labels = :labels)"
)


@dataclass(slots=True)
class Sum:
    """What was done of something in a time; `clients` are words of those who began an attempt. Times: epoch seconds."""

    attempts: int = 0
    hits: int = 0
    blocked: int = 0
    coached: int = 0
    first: int = 2**62
    last: int = 0
    clients: set[int] = field(default_factory=set)

    def add(self, attempts: int, hits: int, blocked: int, coached: int, first: int, last: int) -> None:
        """Add counts of another part of the time."""
        self.attempts += attempts
        self.hits += hits
        self.blocked += blocked
        self.coached += coached
        if first < self.first:
            self.first = first
        if last > self.last:
            self.last = last

    def join(self, other: "Sum") -> None:
        """Add another sum."""
        self.add(other.attempts, other.hits, other.blocked, other.coached, other.first, other.last)
        self.clients |= other.clients


Sums = dict[tuple[int, int], Sum]
"""By key and part, both ids of words but for `By.ALL` and `By.CATEGORY`."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Counts of any time, from the spans there are.

    Args:
        connection: on one state of the data.
        window: seconds, of an attempt.
        labels: for `By.CATEGORY`.
        below: only shorter spans than so many hours.
        is_folded: of clients, do not tell vendors apart; faster.
    """

    connection: Connection
    window: int
    labels: Labels | None = None
    below: int = LEVELS[0] + 1
    is_folded: bool = False

    def sums(self, by: By, since: int, until: int, only: int | None = None) -> Sums:
        """Return what was done in a time, in which attempts count as of its beginning.

        Args:
            since, until: epoch seconds; rows are in by their last query, `until` is no longer in.
            only: this key alone.
        """
        found = self.begun(by, Edge(since), Edge(until), only)
        self.add_under_way(found, by, since, Edge(until), only)
        return found

    def add_under_way(self, found: Sums, by: By, since: int, until: Edge, only: int | None = None) -> None:
        """Add the attempts that were under way when a time began."""
        unknown = _unknown(self.connection)
        for key, part, client in under_way(self.connection, by, since, until, self.window, self.labels, only):
            one = found.setdefault((key, part), Sum())
            one.attempts += 1
            if client != unknown:
                one.clients.add(client)

    def begun(self, by: By, since: Edge, until: Edge, only: int | None = None) -> Sums:
        """Return what was done in a time, with the attempts that began in it; such times may be added up."""
        found: Sums = {}
        chosen = list(self._chosen(by, -(-since.at // HOUR), until.at // HOUR))
        for begin, end in _between(chosen, since, until):
            self._count(found, by, begin, end, only)
        for run in _runs(chosen):
            self._add_run(found, by, (by.value, *run), only)
        return found

    def attempts_by_day(self, by: By, since: int, until: int) -> dict[int, dict[int, int]]:
        """Return how many attempts began on each day (since the epoch, UTC) that a time is on, by key."""
        whole = self._days(by, since, until)
        found: dict[int, dict[int, int]] = {day: {} for day in whole}
        sql = f"SELECT begin / {_DAY_HOURS}, key, SUM(attempts) {_PLACE} GROUP BY begin, key"  # noqa: S608 - ours
        for day, key, attempts in self.connection.exec_driver_sql(sql, self._all_of(by, whole)).fetchall():
            if day in found and attempts:
                found[day][key] = attempts
        for day, begin, end in _other_days(whole, since, until):
            here = found.setdefault(day, {})
            for (key, _), one in self.begun(by, Edge(begin), Edge(end)).items():
                if one.attempts:
                    here[key] = here.get(key, 0) + one.attempts
        return found

    def clients_by_day(self, since: int, until: int) -> dict[int, set[int]]:
        """Return the clients that began an attempt with a vendor on each day (since the epoch, UTC)."""
        whole = self._days(By.ALL, since, until)
        found: dict[int, set[int]] = {day: set() for day in whole}
        sql = f"SELECT begin / {_DAY_HOURS}, clients {_PLACE} AND key = 1"  # noqa: S608 - ours
        for day, clients in self.connection.exec_driver_sql(sql, self._all_of(By.ALL, whole)).fetchall():
            if day in found:
                found[day].update(array("I", clients))
        for day, begin, end in _other_days(whole, since, until):
            found[day] = self.begun(By.ALL, Edge(begin), Edge(end)).get((1, 0), Sum()).clients
        return found

    def keys(self, by: By, since: Edge, until: Edge) -> set[int]:
        """Return what there was in a time."""
        chosen = list(self._chosen(by, -(-since.at // HOUR), until.at // HOUR))
        found: set[int] = set()
        for begin, end in _between(chosen, since, until):
            rows = counted(self.connection, by, begin, end, self.window, self.labels)
            found.update(row[0] for row in rows)
        for run in _runs(chosen):
            sql = f"SELECT DISTINCT key {_PLACE}"  # noqa: S608 - ours
            found.update(key for (key,) in self.connection.exec_driver_sql(sql, (by.value, *run)))
        return found

    def _days(self, by: By, since: int, until: int) -> list[int]:
        """Return the whole days of a time that are counted."""
        sql = f"SELECT begin / {_DAY_HOURS} FROM span WHERE hours = {_DAY_HOURS} AND {_USABLE} ORDER BY 1"  # noqa: S608
        bound = self._usable(by, -(-since // HOUR), until // HOUR)
        return [int(day) for (day,) in self.connection.exec_driver_sql(sql, bound)]

    @staticmethod
    def _all_of(by: By, days: list[int]) -> tuple[int, ...]:
        first, last = (days[0], days[-1]) if days else (0, -1)
        return by.value, _DAY_HOURS, first * _DAY_HOURS, last * _DAY_HOURS

    def _chosen(self, by: By, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the longest spans there are between two hours, one after the other."""
        if begin >= end:
            return
        sql = f"SELECT begin, MAX(hours) FROM span WHERE {_USABLE} GROUP BY begin ORDER BY begin"  # noqa: S608 - ours
        rows = self.connection.exec_driver_sql(sql, self._usable(by, begin, end))
        reached = begin
        for at, hours in rows:
            if at >= reached:
                yield hours, at
                reached = at + hours

    def _usable(self, by: By, begin: int, end: int) -> dict[str, int | str | None]:
        labels = self.labels.digest if self.labels else ""
        return {
            "begin": begin, "end": end, "below": self.below, "window": self.window,
            "labels": labels if by is By.CATEGORY else None,
        }  # fmt: skip

    def _count(self, found: Sums, by: By, since: Edge, until: Edge, only: int | None) -> None:
        unknown = _unknown(self.connection)
        rows = counted(self.connection, by, since, until, self.window, self.labels, only)
        for key, part, client, *counts in rows:
            one = found.get((key, part))
            if one is None:
                one = found[key, part] = Sum()
            one.add(*counts)
            if counts[0] and client != unknown:
                one.clients.add(client)

    def _add_run(self, found: Sums, by: By, place: tuple[int, ...], only: int | None) -> None:
        where = _PLACE
        if only is not None:
            place, where = (*place, only), f"{_PLACE} AND key = ?"
        if by is By.CLIENT:
            part = "0" if self.is_folded else "part"
            sql = f"SELECT key, {part} AS p, {_SUMS}, NULL {where} GROUP BY key, p"  # noqa: S608 - ours
        else:
            sql = f"SELECT key, part, {_SCALARS}, clients {where}"  # noqa: S608 - ours
        get = found.get
        for key, part, *counts, clients in self.connection.exec_driver_sql(sql, place).fetchall():
            if (one := get((key, part))) is None:
                found[key, part] = one = Sum(*counts)
            else:
                one.add(*counts)
            if clients:
                one.clients.update(array("I", clients))


def by_key(sums: Sums) -> Sums:
    """Return sums whose parts are not told apart: all are 0."""
    found: Sums = {}
    for (key, _), one in sums.items():
        if (known := found.get((key, 0))) is None:
            found[key, 0] = one
        else:
            known.join(one)
    return found


def _between(chosen: Sequence[tuple[int, int]], since: Edge, until: Edge) -> Iterator[tuple[Edge, Edge]]:
    """Yield what of a time is in none of the spans that were chosen."""
    left = since
    for hours, at in chosen:
        if at * HOUR > left.at:
            yield left, Edge(at * HOUR)
        left = Edge((at + hours) * HOUR)
    if until.at > left.at:
        yield left, until


def _runs(chosen: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return hours, first and last of spans of one length that follow one another."""
    runs: list[tuple[int, int, int]] = []
    for hours, at in sorted(chosen):
        if runs and runs[-1][0] == hours and runs[-1][2] + hours == at:
            runs[-1] = (hours, runs[-1][1], at)
        else:
            runs.append((hours, at, at))
    return runs


def _other_days(whole: Sequence[int], since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """Yield the days of a time that are not among some, each with what of the time is on it."""
    known = set(whole)
    for day in range(since // _DAY, -(-until // _DAY)):
        if day not in known:
            yield day, max(since, day * _DAY), min(until, (day + 1) * _DAY)


def _unknown(connection: Connection) -> int | None:
    """Return the word of clients that are not stored."""
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ''").scalar()
    return found
