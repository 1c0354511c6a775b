"""Spans: an hour, six, a day, four and sixteen, whose hits are counted once and kept so, for reports that read no hits.

A report over any time adds up the longest spans that are within it, and counts only the hits of what is left at its
ends. It tells what counting all hits would tell: a span whose hits change later is forgotten (`forget_changed`).
"""

import json
from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from sinkhole.store.database import Store
from sinkhole.store.span_cache import SpanCache, Sum, Sums, copied
from sinkhole.store.span_sql import OF_CLIENT, By, Edge, Labels, Which, counted, under_way
from sinkhole.store.words import texts_of

LEVELS = (384, 96, 24, 6, 1)
"""Hours of a span; each is a multiple of the next, and begins at a multiple of itself since the epoch."""
HOUR = 3600
_DAY_HOURS = 24
_SCALARS = "attempts, hits, blocked, coached, first, last"
_SUMS = "SUM(attempts), SUM(hits), SUM(blocked), SUM(coached), MIN(first), MAX(last)"
_USABLE = (
    'begin >= :begin AND begin + hours <= :end AND hours < :below AND "window" = :window '
    "AND (:labels IS NULL OR labels = :labels)"
)


@dataclass(frozen=True, slots=True)
class Spans:
    """Counts of any time, from the spans there are.

    Args:
        connection: on one state of the data.
        window: seconds, of an attempt.
        labels: for `By.CATEGORY`.
        below: only shorter spans than so many hours.
        part: only this part.
        cache: what is kept of earlier questions; `store` is what they were about.
    """

    connection: Connection
    window: int
    labels: Labels | None = None
    below: int = LEVELS[0] + 1
    part: int | None = None
    cache: SpanCache | None = None
    store: Hashable = None

    @classmethod
    def of(
        cls, store: Store, connection: Connection, window: int, labels: Labels | None = None, part: int | None = None
    ) -> "Spans":
        """Return those of a store, with what it keeps."""
        return cls(
            connection, window, labels, part=part, cache=store.spans, store=(str(store.path), store.identity)
        )  # fmt: skip

    def texts(self, numbers: Iterable[int]) -> dict[int, str]:
        """Return the texts of words."""
        if self.cache is None:
            return texts_of(self.connection, numbers)
        return self.cache.texts(self.store, numbers, lambda missing: texts_of(self.connection, missing))

    def sums(self, by: By, since: int, until: int, only: int | None = None) -> Sums:
        """Return what was done in a time, in which attempts count as of its beginning.

        Args:
            since, until: epoch seconds; rows are in by their last query, `until` is no longer in.
            only: this key alone.
        """
        found = self.begun(by, Edge(since), Edge(until), only)
        for pair, one in self.under_way(by, since, Edge(until), only).items():
            found.setdefault(pair, Sum()).join(one)
        return found

    def under_way(self, by: By, since: int, until: Edge, only: int | None = None) -> Sums:
        """Return the attempts that were under way when a time began, and nothing else of them."""
        found: Sums = {}
        unknown = _unknown(self.connection)
        for key, part, client in under_way(self.connection, by, since, until, self.window, self._which(only)):
            one = found.setdefault((key, part), Sum())
            one.attempts += 1
            if client != unknown:
                one.meet((client,))
        return found

    def begun(self, by: By, since: Edge, until: Edge, only: int | None = None) -> Sums:
        """Return what was done in a time, with the attempts that began in it; such times may be added up."""
        chosen, key = self._chosen(by, -(-since.at // HOUR), until.at // HOUR)
        found = self._whole(by, chosen, (key, by, only, self.part), only)
        for begin, end in _between(chosen, since, until):
            self._count(found, by, begin, end, only)
        return found

    def _whole(self, by: By, chosen: Sequence[tuple[int, int]], key: Hashable, only: int | None) -> Sums:
        """Return what was done in some spans."""
        cache = self.cache if chosen else None
        found = cache.get(key) if cache else None
        if found is None:
            found = {}
            for where, bound in self._places(by, chosen, only):
                self._add(found, by, where, bound)
            if cache:
                cache.put(key, copied(found))
        return found

    def attempts_by(
        self, hours: int, by: By, since: int, until: int, only: int | None = None
    ) -> dict[int, dict[int, int]]:
        """Return how many attempts began in each step of a time, by key, or by part if there is `only` one key.

        Args:
            hours: of a step, one of `LEVELS`; steps are counted since the epoch.
        """
        whole = self._steps(hours, by, since, until)
        found: dict[int, dict[int, int]] = {step: {} for step in whole}
        key = "key" if only is None else "part"
        for where, bound in self._places(by, [(hours, step * hours) for step in whole], only):
            sql = f"SELECT begin / {hours}, {key} AS k, SUM(attempts) {where} GROUP BY begin, k"
            for step, number, attempts in self.connection.exec_driver_sql(sql, bound).fetchall():
                if attempts:
                    found[step][number] = attempts
        for step, begin, end in _other_steps(hours, whole, since, until):
            here = found.setdefault(step, {})
            for (number, part), one in self.begun(by, Edge(begin), Edge(end), only).items():
                if one.attempts:
                    number = number if only is None else part
                    here[number] = here.get(number, 0) + one.attempts
        return found

    def hits_by_hour(self, by: By, since: int, until: int) -> list[tuple[int, int, int, int]]:
        """Return hour (since the epoch), key, part and hits of a time."""
        whole = self._steps(1, by, since, until)
        found: list[tuple[int, int, int, int]] = []
        for where, bound in self._places(by, [(1, hour) for hour in whole]):
            sql = f"SELECT begin, key, part, hits {where}"
            found += map(tuple, self.connection.exec_driver_sql(sql, bound).fetchall())
        for hour, begin, end in _other_steps(1, whole, since, until):
            sums = self.begun(by, Edge(begin), Edge(end))
            found += [(hour, key, part, one.hits) for (key, part), one in sums.items()]
        return found

    def clients_by_day(self, since: int, until: int) -> dict[int, set[int]]:
        """Return the clients that began an attempt with a vendor on each day (since the epoch, UTC)."""
        whole = self._steps(_DAY_HOURS, By.ALL, since, until)
        found: dict[int, set[int]] = {day: set() for day in whole}
        for where, bound in self._places(By.ALL, [(_DAY_HOURS, day * _DAY_HOURS) for day in whole], 1):
            sql = f"SELECT begin / {_DAY_HOURS}, clients {where}"
            for day, clients in self.connection.exec_driver_sql(sql, bound).fetchall():
                found[day].update(array("I", clients))
        for day, begin, end in _other_steps(_DAY_HOURS, whole, since, until):
            found[day] = self.begun(By.ALL, Edge(begin), Edge(end)).get((1, 0), Sum()).clients
        return found

    def keys(self, by: By, since: Edge, until: Edge) -> set[int]:
        """Return what there was in a time."""
        chosen, _ = self._chosen(by, -(-since.at // HOUR), until.at // HOUR)
        found: set[int] = set()
        for begin, end in _between(chosen, since, until):
            rows = counted(self.connection, by, begin, end, self.window, self._which())
            found.update(row[0] for row in rows)
        for where, bound in self._places(by, chosen):
            sql = f"SELECT DISTINCT key {where}"
            found.update(key for (key,) in self.connection.exec_driver_sql(sql, bound))
        return found

    def _steps(self, hours: int, by: By, since: int, until: int) -> list[int]:
        """Return the whole steps of a time that are counted."""
        sql = f"SELECT begin / hours FROM span WHERE hours = :hours AND {_USABLE} ORDER BY 1"  # noqa: S608 - ours
        bound = self._usable(by, -(-since // HOUR), until // HOUR) | {"hours": hours}
        return [int(step) for (step,) in self.connection.exec_driver_sql(sql, bound)]

    def _which(self, only: int | None = None) -> Which:
        return Which(self.labels, only, self.part)

    def _places(
        self, by: By, chosen: Sequence[tuple[int, int]], only: int | None = None
    ) -> Iterator[tuple[str, tuple[int | str, ...]]]:
        """Yield where the counts of some spans are, and the bound values."""
        for hours, first, last in _runs(chosen):
            bound: tuple[int | str, ...] = (by.value, hours, first, last)
            where = "FROM span_sum WHERE by = ? AND hours = ? AND begin BETWEEN ? AND ?"
            if only is not None:  # each begin by itself: so the key is found, and not looked for
                bound = (by.value, hours, json.dumps(list(range(first, last + 1, hours))), only)
                where = (
                    "FROM span_sum WHERE by = ? AND hours = ? AND begin IN (SELECT value FROM json_each(?)) AND key = ?"
                )
            if self.part is not None:
                bound, where = (*bound, self.part), f"{where} AND part = ?"
            yield where, bound

    def _chosen(self, by: By, begin: int, end: int) -> tuple[list[tuple[int, int]], Hashable]:
        """Return the longest spans there are between two hours, one after the other, and what changes if they do."""
        if begin >= end:
            return [], None
        sql = f"SELECT begin, MAX(hours), serial FROM span WHERE {_USABLE} GROUP BY begin ORDER BY begin"  # noqa: S608
        bound = self._usable(by, begin, end)
        found, reached, newest = [], begin, 0
        for at, hours, serial in self.connection.exec_driver_sql(sql, bound).fetchall():
            if at >= reached:
                found.append((hours, at))
                reached = at + hours
                newest = max(newest, serial)
        return found, (self.store, self.window, bound["labels"], newest, tuple(found))

    def _usable(self, by: By, begin: int, end: int) -> dict[str, int | str | None]:
        labels = self.labels.digest if self.labels else ""
        return {
            "begin": begin, "end": end, "below": self.below, "window": self.window,
            "labels": labels if by is By.CATEGORY else None,
        }  # fmt: skip

    def _count(self, found: Sums, by: By, since: Edge, until: Edge, only: int | None) -> None:
        unknown = _unknown(self.connection)
        rows = counted(self.connection, by, since, until, self.window, self._which(only))
        for key, part, client, *counts in rows:
            one = found.get((key, part))
            if one is None:
                one = found[key, part] = Sum()
            one.add(*counts)
            if counts[0] and client != unknown:
                one.meet((client,))

    def _add(self, found: Sums, by: By, where: str, bound: tuple[int | str, ...]) -> None:
        columns = f"{_SUMS}, NULL {where} GROUP BY key, part" if by in OF_CLIENT else f"{_SCALARS}, clients {where}"
        sql = f"SELECT key, part, {columns}"
        get = found.get
        for key, part, *counts, clients in self.connection.exec_driver_sql(sql, bound).fetchall():
            if (one := get((key, part))) is None:
                found[key, part] = one = Sum(*counts)
            else:
                one.add(*counts)
            if clients:
                one.meet(array("I", clients))


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


def _other_steps(hours: int, whole: Sequence[int], since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """Yield the steps of a time that are not among some, each with what of the time is in it."""
    known, width = set(whole), hours * HOUR
    for step in range(since // width, -(-until // width)):
        if step not in known:
            yield step, max(since, step * width), min(until, (step + 1) * width)


def _unknown(connection: Connection) -> int | None:
    """Return the word of clients that are not stored."""
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ''").scalar()
    return found
