"""Answer from recorded hits: who tried which vendor, how often, when; attempts, not raw queries."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sinkhole.errors import StoreError
from sinkhole.policy.hit import HitRow
from sinkhole.policy.verdict import Action
from sinkhole.store.database import Store
from sinkhole.store.fold import Fold
from sinkhole.store.span_cache import Sum
from sinkhole.store.span_sql import By, Labels
from sinkhole.store.spans import Spans

COLUMNS = ("vendor", "product", "client", "group", "name", "feed", "subject")
"""What hits can be counted by; category and jurisdiction follow from the product and vendor of the catalogue."""

_FOREVER = 2**62
_YEAR = 366 * 86_400
_LINES = """
    SELECT hit.id, minute, c.text, g.text, n.text, qtype, action, v.text, p.text, f.text, s.text, count, first, last
    FROM hit JOIN word n ON n.id = hit.name JOIN word c ON c.id = hit.client
    LEFT JOIN word g ON g.id = hit."group" LEFT JOIN word v ON v.id = hit.vendor
    LEFT JOIN word p ON p.id = hit.product LEFT JOIN word f ON f.id = hit.feed
    LEFT JOIN word s ON s.id = hit.subject
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Hits counted by something: its key, how many clients, attempts and hits; first and last in epoch seconds."""

    key: str | None
    clients: int
    attempts: int
    hits: int
    blocked: int
    coached: int
    first: int
    last: int

    @property
    def allowed(self) -> int:
        """Hits that were answered truly."""
        return self.hits - self.blocked - self.coached


@dataclass(frozen=True, slots=True)
class HitLine:
    """One recorded row and its id."""

    id: int
    hit: HitRow


class Reports:
    """Read-only questions.

    Args:
        store: where the hits are.
        attempt_window: seconds.
    """

    def __init__(self, store: Store, attempt_window: int) -> None:
        self._store = store
        self._window = attempt_window

    def count_by(self, column: str, since: int = 0, until: int | None = None, limit: int | None = None) -> list[Tally]:
        """Count the hits between two times by a column of `COLUMNS`, most attempts first; rows without it left out.

        Args:
            since, until: epoch seconds, by the last query of a row; `until` is no longer in.
        """
        by = _by(column)
        with self._store.reading() as connection:
            spans = Spans.of(self._store, connection, self._window)
            found = spans.sums(by, since, _end(until), fold=Fold())
            texts = spans.texts({key for key, _ in found})
        keyed = [(texts.get(key, ""), one) for (key, _), one in found.items()]
        is_client = by is By.CLIENT
        tallies = [tally_of(text, one, int(bool(text)) if is_client else None) for text, one in keyed]
        return sorted(tallies, key=tally_order)[:limit]

    def clients(self, since: int = 0, until: int | None = None) -> int:
        """Return how many clients asked between two times, 0 where clients are not stored."""
        with self._store.reading() as connection:
            found = Spans.of(self._store, connection, self._window).sums(By.ALL, since, _end(until))
        return len(set().union(*(one.clients for one in found.values())))

    def count_by_label(self, labels: Labels, column: str, since: int = 0, until: int | None = None) -> list[Tally]:
        """Count by something that follows from a column: categories of a product, the jurisdiction of a vendor.

        Args:
            labels: of values of the column; a value without any is left out.
            column: `product` or `vendor`.
        """
        if _by(column) is By.PRODUCT:
            with self._store.reading() as connection:
                found = Spans.of(self._store, connection, self._window, labels).sums(By.CATEGORY, since, _end(until))
            return sorted((tally_of(labels.names[key], one) for (key, _), one in found.items()), key=tally_order)
        with self._store.reading() as connection:
            spans = Spans.of(self._store, connection, self._window)
            found = spans.sums(By.VENDOR, since, _end(until), fold=Fold(labels))
        return sorted((tally_of(labels.names[key], one) for (key, _), one in found.items()), key=tally_order)

    def lines(
        self, after: int = 0, since: int = 0, limit: int | None = None, newest: bool = False
    ) -> Iterator[HitLine]:
        """Yield recorded rows in order of their ids.

        Args:
            after: only rows with a greater id.
            newest: the last `limit` rows instead of the first.
        """
        order = "DESC" if newest else "ASC"
        sql = f"{_LINES} WHERE hit.id > ? AND last >= ? ORDER BY hit.id {order} LIMIT ?"
        with self._store.reading() as connection:
            rows = connection.execution_options(yield_per=1000).exec_driver_sql(
                sql, (after, since, -1 if limit is None else limit)
            )
            found = reversed(rows.fetchall()) if newest else rows
            for row in found:
                yield _line(row)

    def page(self, before: int | None, limit: int, since: int = 0) -> list[HitLine]:
        """Return rows, those of the newest minutes first; none last asked before `since`.

        Args:
            before: id of a row, after which the page begins; where that is gone, so are those that would follow.
        """
        sql = f"""
            {_LINES} WHERE (minute, hit.id) < (?, ?) AND minute >= ? AND last >= ?
            ORDER BY minute DESC, hit.id DESC LIMIT ?
        """
        with self._store.reading() as connection:
            place = (_FOREVER, _FOREVER)
            if before is not None:
                minute = connection.exec_driver_sql("SELECT minute FROM hit WHERE id = ?", (before,)).scalar()
                if minute is None:
                    return []
                place = (minute, before)
            rows = connection.exec_driver_sql(sql, (*place, since // 60, since, limit))
            return [_line(row) for row in rows]

    def newest_id(self) -> int:
        """Return the id of the newest row, 0 where there is none."""
        with self._store.reading() as connection:
            return int(connection.exec_driver_sql("SELECT COALESCE(MAX(id), 0) FROM hit").scalar_one())

    def totals(self) -> tuple[int, int]:
        """Return how many queries are recorded, and how many rows they take."""
        with self._store.reading() as connection:
            row = connection.exec_driver_sql("SELECT COALESCE(SUM(count), 0), COUNT(*) FROM hit").one()
            return int(row[0]), int(row[1])


def _line(row: Sequence[Any]) -> HitLine:
    number, minute, client, group, name, qtype, action, *rest = row
    return HitLine(number, HitRow(minute, client, group, name, qtype, str(Action(action)), *rest))


def _by(column: str) -> By:
    if column not in COLUMNS:
        raise StoreError(f"hits are counted by {', '.join(COLUMNS)}; found {column!r}")
    return By[column.upper()]


def _end(until: int | None) -> int:
    return int(time.time()) + _YEAR if until is None else until


def tally_of(key: str, one: Sum, clients: int | None = None) -> Tally:
    """Return a sum as a tally; `clients` is None for those of the sum."""
    count = len(one.clients) if clients is None else clients
    return Tally(key, count, one.attempts, one.hits, one.blocked, one.coached, one.first, one.last)


def tally_order(one: Tally) -> tuple[int, int, str]:
    """Return what tallies are sorted by: the most attempts first."""
    return -one.attempts, -one.hits, one.key or ""
