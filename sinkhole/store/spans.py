"""Spans: an hour, six, a day, four and sixteen, whose hits are counted once and kept so, for reports that read no hits.

A report over any time adds up the longest spans that are within it, and counts only the hits of what is left at its
ends. It tells what counting all hits would tell: a span whose hits change later is forgotten (`forget_changed`).
"""

import json
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from sinkhole.store.database import Store
from sinkhole.store.fold import Fold, joined
from sinkhole.store.slots import Slot, pieces_of
from sinkhole.store.span_cache import SpanCache, Sum, Sums, copied
from sinkhole.store.span_runs import HOUR, LEVELS, Chosen, between, other_steps, places_of, runs
from sinkhole.store.span_sql import OF_CLIENT, By, Edge, Labels, Which, counted, under_way
from sinkhole.store.words import texts_of

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

    def sums(self, by: By, since: int, until: int, only: int | None = None, fold: Fold | None = None) -> Sums:
        """Return what was done in a time, in which attempts count as of its beginning.

        Args:
            since, until: epoch seconds; rows are in by their last query, `until` is no longer in.
            only: this key alone.
            fold: how counts are taken together.
        """
        found = self.begun(by, Edge(since), Edge(until), only, fold)
        under_way = self.under_way(by, since, Edge(until), only)
        return joined(found, fold.of(under_way, self.texts) if fold else under_way)

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

    def begun(self, by: By, since: Edge, until: Edge, only: int | None = None, fold: Fold | None = None) -> Sums:
        """Return what was done in a time, with the attempts that began in it; such times may be added up."""
        chosen = self._chosen(by, -(-since.at // HOUR), until.at // HOUR)
        found = copied(self._whole(by, chosen, only, fold))
        for begin, end in between(chosen, since, until):
            joined(found, self._in_no_span(by, begin, end, only, fold))
        return found

    def _in_no_span(self, by: By, since: Edge, until: Edge, only: int | None, fold: Fold | None) -> Sums:
        """Return what hits tell of a time; slots of it are kept until a hit changes that counts for them."""
        if self.cache is None:
            return self._counted(by, since, until, only, fold)
        found: Sums = {}
        slots: list[Slot] = []
        for begin, end, slot in pieces_of(self.connection, since, until, self.window):
            if slot is None:
                joined(found, self._counted(by, begin, end, only, fold))
            else:
                slots.append(slot)
        return joined(found, copied(self._in_slots(by, tuple(slots), only, fold)))

    def _in_slots(self, by: By, slots: tuple[Slot, ...], only: int | None, fold: Fold | None) -> Sums:
        if not slots:
            return {}
        *before, last = slots

        def count() -> Sums:
            if not before:
                return self._counted(by, *last.edges, only, fold)
            found = copied(self._in_slots(by, tuple(before), only, fold))
            return joined(found, copied(self._in_slots(by, (last,), only, fold)))

        return self._kept(by, slots, self._how(by, only, fold), count)

    def _how(self, by: By, only: int | None, fold: Fold | None) -> Hashable:
        return by, only, self.part, fold and fold.told_by

    def _whole(self, by: By, chosen: Sequence[Chosen], only: int | None, fold: Fold | None) -> Sums:
        """Return what was done in some spans; whole days, which stay as they are, are kept by themselves, too."""

        def count(spans: Sequence[Chosen]) -> Sums:
            found: Sums = {}
            for where, bound in self._places(by, places_of(spans), only):
                self._add(found, by, where, bound)
            return fold.of(found, self.texts) if fold else found

        how = self._how(by, only, fold)
        days = [one for one in chosen if one.hours >= _DAY_HOURS]
        if not days or len(days) == len(chosen):
            return self._kept(by, chosen, how, lambda: count(chosen))
        hours = [one for one in chosen if one.hours < _DAY_HOURS]

        def add_up() -> Sums:
            return joined(copied(self._kept(by, days, how, lambda: count(days))), count(hours))

        return self._kept(by, chosen, how, add_up)

    def _kept(self, by: By, spans: Sequence[Chosen | Slot], how: Hashable, count: Callable[[], Sums]) -> Sums:
        """Return what was counted of some spans, which `how` tells; it is `copied` before it is changed."""
        if self.cache is None or not spans:
            return count()
        key = (how, self.store, self.window, self._digest(by), tuple(spans))
        found = self.cache.get(key)
        if found is None:
            found = count()
            self.cache.put(key, found)
        return found

    def within(self, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield the part of a time in which there are hits, if any."""
        sql = "SELECT (SELECT MIN(minute) FROM hit), (SELECT MAX(minute) FROM hit)"
        oldest, newest = self.connection.exec_driver_sql(sql).one()
        if oldest is not None:
            begin, end = max(since, oldest * 60), min(until, (newest + 1) * 60)
            if begin < end:
                yield begin, end

    def attempts_by(
        self, hours: int, by: By, since: int, until: int, only: int | None = None
    ) -> dict[int, dict[int, int]]:
        """Return how many attempts began in each step of a time, by key, or by part if there is `only` one key.

        Args:
            hours: of a step, one of `LEVELS`; steps are counted since the epoch.
        """
        steps = self._steps(hours, by, since, until)
        found: dict[int, dict[int, int]] = {one.begin // hours: {} for one in steps}
        key = "key" if only is None else "part"

        def count() -> Sums:
            sums: Sums = {}
            for where, bound in self._places(by, places_of(steps), only):
                sql = f"SELECT begin / {hours}, {key} AS k, SUM(attempts) {where} GROUP BY begin, k"
                for step, number, attempts in self.connection.exec_driver_sql(sql, bound).fetchall():
                    sums[step, number] = Sum(attempts)
            return sums

        for (step, number), one in self._kept(by, steps, ("attempts", hours, by, only), count).items():
            if one.attempts:
                found[step][number] = one.attempts
        for first, after in self.within(since, until):
            for step, begin, end in other_steps(hours, tuple(found), first, after):
                here = found.setdefault(step, {})
                for (number, part), one in self.begun(by, Edge(begin), Edge(end), only).items():
                    if one.attempts:
                        number = number if only is None else part
                        here[number] = here.get(number, 0) + one.attempts
        return found

    def hits_by_hour(self, by: By, since: int, until: int) -> list[tuple[int, int, int, int]]:
        """Return hour (since the epoch), key, part and hits of a time."""
        steps = self._steps(1, by, since, until)
        whole = [one.begin for one in steps]
        found: list[tuple[int, int, int, int]] = []
        for where, bound in self._places(by, places_of(steps)):
            sql = f"SELECT begin, key, part, hits {where}"
            found += map(tuple, self.connection.exec_driver_sql(sql, bound).fetchall())
        for hour, begin, end in other_steps(1, whole, since, until):
            sums = self.begun(by, Edge(begin), Edge(end))
            found += [(hour, key, part, one.hits) for (key, part), one in sums.items()]
        return found

    def clients_by_day(self, since: int, until: int) -> dict[int, set[int]]:
        """Return the clients that began an attempt with a vendor on each day (since the epoch, UTC)."""
        steps = self._steps(_DAY_HOURS, By.ALL, since, until)
        whole = [one.begin // _DAY_HOURS for one in steps]
        found: dict[int, set[int]] = {day: set() for day in whole}
        for where, bound in self._places(By.ALL, places_of(steps), 1):
            sql = f"SELECT begin / {_DAY_HOURS}, clients {where}"
            for day, clients in self.connection.exec_driver_sql(sql, bound).fetchall():
                found[day].update(array("I", clients))
        for day, begin, end in other_steps(_DAY_HOURS, whole, since, until):
            found[day] = self.begun(By.ALL, Edge(begin), Edge(end)).get((1, 0), Sum()).clients
        return found

    def keys(self, by: By, since: Edge, until: Edge) -> set[int]:
        """Return what there was in a time."""
        chosen = self._chosen(by, -(-since.at // HOUR), until.at // HOUR)
        found: set[int] = set()
        for begin, end in between(chosen, since, until):
            rows = counted(self.connection, by, begin, end, self.window, self._which())
            found.update(row[0] for row in rows)

        def look() -> Sums:
            places = self._places(by, places_of(chosen))
            keys = (self.connection.exec_driver_sql(f"SELECT DISTINCT key {where}", bound) for where, bound in places)
            return {(key, 0): Sum() for rows in keys for (key,) in rows}

        return found | {key for key, _ in self._kept(by, chosen, ("keys", by), look)}

    def _steps(self, hours: int, by: By, since: int, until: int) -> list[Chosen]:
        """Return the spans of so many hours in a time that are counted."""
        sql = f"SELECT hours, begin, serial FROM span WHERE hours = :hours AND {_USABLE} ORDER BY begin"  # noqa: S608
        bound = self._usable(by, -(-since // HOUR), until // HOUR) | {"hours": hours}
        return [Chosen(*row) for row in self.connection.exec_driver_sql(sql, bound).fetchall()]

    def _which(self, only: int | None = None) -> Which:
        return Which(self.labels, only, self.part)

    def _places(
        self, by: By, chosen: Sequence[tuple[int, int]], only: int | None = None
    ) -> Iterator[tuple[str, tuple[int | str, ...]]]:
        """Yield where the counts of some spans are, and the bound values."""
        for hours, first, last in runs(chosen):
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

    def _chosen(self, by: By, begin: int, end: int) -> list[Chosen]:
        """Return the longest spans there are between two hours, one after the other."""
        found: list[Chosen] = []
        gaps = [(begin, end)]
        for hours in LEVELS:
            left = []
            for at, until in gaps:
                if until - at >= hours:
                    for one in self._steps(hours, by, at * HOUR, until * HOUR):
                        found.append(one)
                        left.append((at, one.begin))
                        at = one.begin + hours
                left.append((at, until))
            gaps = [(at, until) for at, until in left if at < until]
        return sorted(found, key=lambda one: one.begin)

    def _usable(self, by: By, begin: int, end: int) -> dict[str, int | str | None]:
        return {
            "begin": begin, "end": end, "below": self.below, "window": self.window, "labels": self._digest(by),
        }  # fmt: skip

    def _digest(self, by: By) -> str | None:
        if by is not By.CATEGORY:
            return None
        return self.labels.digest if self.labels else ""

    def _counted(self, by: By, since: Edge, until: Edge, only: int | None, fold: Fold | None) -> Sums:
        found: Sums = {}
        unknown = _unknown(self.connection)
        rows = counted(self.connection, by, since, until, self.window, self._which(only))
        for key, part, client, *counts in rows:
            one = found.get((key, part))
            if one is None:
                one = found[key, part] = Sum()
            one.add(*counts)
            if counts[0] and client != unknown:
                one.meet((client,))
        return fold.of(found, self.texts) if fold else found

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


def _unknown(connection: Connection) -> int | None:
    """Return the word of clients that are not stored."""
    found: int | None = connection.exec_driver_sql("SELECT id FROM word WHERE text = ''").scalar()
    return found
