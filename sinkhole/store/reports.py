"""Answer from recorded hits: who tried which vendor, how often, when; attempts, not raw queries."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sinkhole.errors import StoreError
from sinkhole.policy.hit import HitRow
from sinkhole.policy.verdict import Action
from sinkhole.store.attempts import CLIENTS, COUNT, GAP
from sinkhole.store.database import Store

COLUMNS = ("vendor", "product", "client", "group", "name", "feed", "subject")
"""What hits can be counted by; category and jurisdiction follow from the product and vendor of the catalogue."""

_FOREVER = 2**62
_LABELS = """
    label AS MATERIALIZED (
        SELECT pair.value ->> 0 AS label, word.id AS labelled
        FROM json_each(:pairs) pair JOIN word ON word.text = pair.value ->> 1
    )
"""
_LINES = """
    SELECT hit.id, minute, c.text, g.text, n.text, qtype, action, v.text, p.text, f.text, s.text, count, first, last
    FROM hit JOIN word n ON n.id = hit.name JOIN word c ON c.id = hit.client
    LEFT JOIN word g ON g.id = hit."group" LEFT JOIN word v ON v.id = hit.vendor
    LEFT JOIN word p ON p.id = hit.product LEFT JOIN word f ON f.id = hit.feed
    LEFT JOIN word s ON s.id = hit.subject
"""
_DONE = "SUM(CASE WHEN action = :{} THEN count ELSE 0 END)"
_HITS = f"SUM(count), {_DONE.format('block')}, {_DONE.format('coach')}, MIN(first), MAX(last)"


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
        _expect_column(column)
        sql = _tally_sql(f'hit."{column}"', "hit", "(SELECT text FROM word WHERE id = k)")
        return self._tallies(sql, since, until, {"limit": -1 if limit is None else limit})

    def count_by_label(
        self, label_of: dict[str, tuple[str, ...]], column: str, since: int = 0, until: int | None = None
    ) -> list[Tally]:
        """Count by something that follows from a column: categories of a product, the jurisdiction of a vendor.

        Args:
            label_of: value of the column to its labels; a value without any is left out.
        """
        _expect_column(column)
        pairs = [(label, value) for value, labels in label_of.items() for label in labels]
        # CROSS: hits in the outer loop. JSON: there may be more pairs than SQLite binds.
        counted = _tally_sql("label", f'hit CROSS JOIN label ON labelled = hit."{column}"', "k")
        sql = f"WITH {_LABELS} {counted}"
        return self._tallies(sql, since, until, {"limit": -1, "pairs": json.dumps(pairs)})

    def _tallies(self, sql: str, since: int, until: int | None, bound: dict[str, object]) -> list[Tally]:
        bound |= {
            "since": since, "until": _FOREVER if until is None else until, "minute": since // 60,
            "window": self._window, "block": Action.BLOCK.value, "coach": Action.COACH.value,
        }  # fmt: skip
        with self._store.reading() as connection:
            return [Tally(*row) for row in connection.exec_driver_sql(sql, bound)]

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
        """Return rows with lesser ids than `before` (None: any), the newest first; none last asked before `since`."""
        sql = f"{_LINES} WHERE hit.id < ? AND last >= ? AND minute >= ? ORDER BY hit.id DESC LIMIT ?"
        bound = (_FOREVER if before is None else before, since, since // 60, limit)
        with self._store.reading() as connection:
            return [_line(row) for row in connection.exec_driver_sql(sql, bound)]

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


def _tally_sql(key: str, tables: str, text: str) -> str:
    """Return the statement that counts hits by `key`, an expression over `tables`; `text` is how it is shown."""
    return f"""
        SELECT {text}, {CLIENTS}, {COUNT}, {_HITS}
        FROM (
            SELECT {key} AS k, client, action, count, first, last, {GAP.format(by=f"{key}, client, vendor")}
            FROM {tables} WHERE last >= :since AND last < :until AND minute >= :minute AND {key} IS NOT NULL
        ) GROUP BY k ORDER BY 3 DESC, 4 DESC, 1 LIMIT :limit
    """  # noqa: S608 - columns and expressions of ours, values are bound


def _expect_column(column: str) -> None:
    if column not in COLUMNS:
        raise StoreError(f"hits are counted by {', '.join(COLUMNS)}; found {column!r}")
