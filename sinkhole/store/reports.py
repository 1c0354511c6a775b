"""Answer from recorded hits: who tried which vendor, how often, when; attempts, not raw queries."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sinkhole.errors import StoreError
from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import CLIENTS, COUNT, GAP
from sinkhole.store.database import Store

COLUMNS = ("vendor", "product", "client", "group", "name", "feed", "subject")
"""What hits can be counted by; category and jurisdiction follow from the product and vendor of the catalogue."""

_FOREVER = 2**62
_HITS = "SUM(count), SUM(CASE WHEN action = :block THEN count ELSE 0 END), MIN(first), MAX(last)"


@dataclass(frozen=True, slots=True)
class Tally:
    """Hits counted by something: its key, how many clients, attempts and hits; first and last in epoch seconds."""

    key: str | None
    clients: int
    attempts: int
    hits: int
    blocked: int
    first: int
    last: int

    @property
    def allowed(self) -> int:
        """Hits that were answered truly."""
        return self.hits - self.blocked


@dataclass(frozen=True, slots=True)
class HitLine:
    """One recorded row, readable."""

    id: int
    minute: int
    client: str
    group: str | None
    name: str
    qtype: int
    action: str
    vendor: str | None
    product: str | None
    feed: str | None
    subject: str | None
    count: int
    first: int
    last: int


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
            since, until: epoch seconds, by the last query of a row.
        """
        _expect_column(column)
        gap = GAP.format(by=f'"{column}", client, vendor')
        # S608: the column is one of ours, values are bound.
        sql = f"""
            WITH hits AS (
                SELECT "{column}" AS k, client, action, count, first, last, {gap}
                FROM hit WHERE last >= :since AND last <= :until AND "{column}" IS NOT NULL AND minute >= :minute
            )
            SELECT word.text, {CLIENTS}, {COUNT}, {_HITS}
            FROM hits JOIN word ON word.id = k GROUP BY k ORDER BY 3 DESC, 4 DESC, 1 LIMIT :limit
        """  # noqa: S608
        bound = self._bound(since, until) | {"limit": -1 if limit is None else limit}
        with self._store.reading() as connection:
            return [Tally(*row) for row in connection.exec_driver_sql(sql, bound)]

    def count_by_label(
        self, label_of: dict[str, tuple[str, ...]], column: str, since: int = 0, until: int | None = None
    ) -> list[Tally]:
        """Count by something that follows from a column: categories of a product, the jurisdiction of a vendor.

        Args:
            label_of: value of the column to its labels; a value without any is left out.
        """
        _expect_column(column)
        labels: dict[str, list[str]] = {}
        for value, found in label_of.items():
            for label in found:
                labels.setdefault(label, []).append(value)
        counted = [self._count_values(label, column, values, since, until) for label, values in sorted(labels.items())]
        found_any = [tally for tally in counted if tally is not None]
        return sorted(found_any, key=lambda tally: (-tally.attempts, -tally.hits, tally.key or ""))

    def _count_values(self, label: str, column: str, values: list[str], since: int, until: int | None) -> Tally | None:
        # As JSON, since a category may have more values than SQLite binds.
        sql = f"""
            WITH hits AS (
                SELECT client, action, count, first, last, {GAP.format(by="client, vendor")}
                FROM hit WHERE last >= :since AND last <= :until AND minute >= :minute
                AND "{column}" IN (SELECT id FROM word WHERE text IN (SELECT value FROM json_each(:values)))
            )
            SELECT {CLIENTS}, {COUNT}, {_HITS} FROM hits
        """  # noqa: S608
        with self._store.reading() as connection:
            bound = self._bound(since, until) | {"values": json.dumps(values)}
            row = connection.exec_driver_sql(sql, bound).one()
        return Tally(label, *row) if row[1] else None

    def _bound(self, since: int, until: int | None) -> dict[str, object]:
        return {
            "since": since, "until": _FOREVER if until is None else until, "minute": since // 60,
            "window": self._window, "block": Action.BLOCK.value,
        }  # fmt: skip

    def lines(
        self, after: int = 0, since: int = 0, limit: int | None = None, newest: bool = False
    ) -> Iterator[HitLine]:
        """Yield recorded rows in order of their ids.

        Args:
            after: only rows with a greater id.
            newest: the last `limit` rows instead of the first.
        """
        order = "DESC" if newest else "ASC"
        sql = f"""
            SELECT hit.id, minute, c.text, g.text, n.text, qtype, action, v.text, p.text, f.text, s.text,
                   count, first, last
            FROM hit JOIN word n ON n.id = hit.name JOIN word c ON c.id = hit.client
            LEFT JOIN word g ON g.id = hit."group" LEFT JOIN word v ON v.id = hit.vendor
            LEFT JOIN word p ON p.id = hit.product LEFT JOIN word f ON f.id = hit.feed
            LEFT JOIN word s ON s.id = hit.subject
            WHERE hit.id > ? AND last >= ? ORDER BY hit.id {order} LIMIT ?
        """  # noqa: S608
        with self._store.reading() as connection:
            rows = connection.execution_options(yield_per=1000).exec_driver_sql(
                sql, (after, since, -1 if limit is None else limit)
            )
            found = reversed(rows.fetchall()) if newest else rows
            for row in found:
                yield _line(row)

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
    return HitLine(number, minute, client, group, name, qtype, str(Action(action)), *rest)


def _expect_column(column: str) -> None:
    if column not in COLUMNS:
        raise StoreError(f"hits are counted by {', '.join(COLUMNS)}; found {column!r}")
