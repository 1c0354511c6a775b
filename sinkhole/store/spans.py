"""Spans: hours, days and sixteen days whose hits are counted once and kept so, for reports that read no hits.

A report over any time adds up the longest spans that are within it, and counts only the hits of what is left at its
ends. It tells what counting all hits would tell: a span whose hits change later is forgotten (`forget_changed`).
"""

from array import array
from collections.abc import Iterator
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
    """

    connection: Connection
    window: int
    labels: Labels | None = None
    below: int = LEVELS[0] + 1

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
        begin, end = -(-since.at // HOUR), until.at // HOUR
        left = since
        whole: dict[int, list[int]] = {}
        for hours, at in self._chosen(by, begin, end):
            if at * HOUR > left.at:
                self._count(found, by, left, Edge(at * HOUR), only)
            whole.setdefault(hours, []).append(at)
            left = Edge((at + hours) * HOUR)
        if until.at > left.at:
            self._count(found, by, left, until, only)
        self._add(found, by, whole, only)
        return found

    def by_day(self, by: By, since: int, until: int) -> dict[int, Sums]:
        """Return what was done on each day (since the epoch, UTC) that a time is on; attempts count where they begin."""
        found: dict[int, Sums] = {at // _DAY_HOURS: {} for at in self._days(by, -(-since // HOUR), until // HOUR)}
        if found:
            place = (by.value, _DAY_HOURS, min(found) * _DAY_HOURS, max(found) * _DAY_HOURS)
            sql = f"SELECT begin, key, part, {_SCALARS}, clients {_PLACE}"  # noqa: S608 - ours
            for begin, key, part, *counts, clients in self.connection.exec_driver_sql(sql, place):
                if (here := found.get(begin // _DAY_HOURS)) is not None:
                    here[key, part] = one = Sum()
                    one.add(*counts)
                    one.clients.update(array("I", clients or b""))
        for day in range(since // _DAY, -(-until // _DAY)):
            if day not in found:
                begin, end = max(since, day * _DAY), min(until, (day + 1) * _DAY)
                found[day] = self.begun(by, Edge(begin), Edge(end))
        return found

    def _days(self, by: By, begin: int, end: int) -> list[int]:
        """Return the beginnings of whole days between two hours that are counted."""
        sql = f"SELECT begin FROM span WHERE hours = {_DAY_HOURS} AND {_USABLE}"  # noqa: S608 - ours
        return [int(at) for (at,) in self.connection.exec_driver_sql(sql, self._usable(by, begin, end))]

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

    def _add(self, found: Sums, by: By, whole: dict[int, list[int]], only: int | None) -> None:
        for hours, begins in whole.items():
            for first, last in _runs(begins, hours):
                self._add_run(found, by, (by.value, hours, first, last), only)

    def _add_run(self, found: Sums, by: By, place: tuple[int, ...], only: int | None) -> None:
        where = _PLACE
        if only is not None:
            place, where = (*place, only), f"{_PLACE} AND key = ?"
        if by is By.CLIENT:
            sql = f"SELECT key, part, {_SUMS}, NULL {where} GROUP BY key, part"  # noqa: S608 - ours
        else:
            sql = f"SELECT key, part, {_SCALARS}, clients {where}"  # noqa: S608 - ours
        for key, part, *counts, clients in self.connection.exec_driver_sql(sql, place):
            one = found.get((key, part))
            if one is None:
                one = found[key, part] = Sum()
            one.add(*counts)
            if clients:
                one.clients.update(array("I", clients))


def _runs(begins: list[int], hours: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last of spans that follow one another."""
    first = before = begins[0]
    for at in begins[1:]:
        if at != before + hours:
            yield first, before
            first = at
        before = at
    yield first, before


def _unknown(connection: Connection) -> int | None:
    """Return the word of clients that are not stored."""
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ''").scalar()
    return found
