"""The rows of a report, from sums of recorded hits: by vendor, and by client or group with each vendor."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sinkhole.evidence.model import By, Line, Span, Tried
from sinkhole.store import evidence_counts, span_sql
from sinkhole.store.evidence_counts import DayCount, EvidenceCounts
from sinkhole.store.span_cache import Sum

_Key = tuple[str | None, str]
NameOf = Callable[[str], tuple[str, str | None]]


@dataclass(slots=True)
class _Row:
    """What is in a row; `before` and `after` are apart only where the report compares."""

    whole: Sum = field(default_factory=Sum)
    before: Sum = field(default_factory=Sum)
    after: Sum = field(default_factory=Sum)
    is_of_client: bool = False


class HitLines:
    """Rows of a report over a time; false where there are none.

    Args:
        counts: what was recorded.
        since, until: epoch seconds.
        pivot: compare before and after it.
        by: of the rows beside those of vendors.
        name_of: name and jurisdiction of a vendor.
    """

    def __init__(
        self, counts: EvidenceCounts, since: int, until: int, pivot: int | None, by: By, name_of: NameOf
    ) -> None:  # fmt: skip
        self._name_of = name_of
        self._is_split = pivot is not None
        tried = counts.tried(span_sql.By.VENDOR, since, until, pivot)
        self._rows: dict[By, dict[_Key, _Row]] = {By.VENDOR: _rows(tried, lambda _part: None)}
        if by is By.GROUP:
            self._rows[by] = _rows(tried, lambda part: part)
        elif by is By.CLIENT:
            self._rows[by] = _rows(counts.tried(span_sql.By.PAIR, since, until, pivot), lambda part: part)
            for (client, _), row in self._rows[by].items():
                row.is_of_client = bool(client)

    def __bool__(self) -> bool:
        return bool(self._rows[By.VENDOR])

    def add_lost(self, one: DayCount, *, is_before: bool) -> None:
        """Add the sum of a day whose hits are gone."""
        at = one.day * 86_400
        for by, rows in self._rows.items():
            part = {By.VENDOR: None, By.GROUP: one.group, By.CLIENT: ""}[by]
            row = rows.setdefault((part, one.vendor), _Row())
            for found in (row.whole, row.before if is_before else row.after):
                found.add(one.attempts, one.hits, one.blocked, one.coached, at, at)

    def of(self, by: By) -> list[Line]:
        """Return rows, most attempts first."""
        lines = []
        for (part, vendor), row in self._rows[by].items():
            before, after = self._spans(row)
            lines.append(Line(part, vendor, *self._name_of(vendor), _tried(row), before=before, after=after))
        return sorted(lines, key=_order)

    def union(self, by: By) -> Callable[[Sequence[Line]], int]:
        """Return what tells how many different clients some rows have together."""
        rows = self._rows[by]

        def count(lines: Sequence[Line]) -> int:
            wanted = [(line.part, line.vendor) for line in lines if line.vendor is not None]
            if by is By.CLIENT:
                return len({client for client, _ in wanted if client})
            return len(set().union(*(rows[key].whole.clients for key in wanted)))

        return count

    def total(self) -> Tried:
        """Return all of it."""
        total = _Row()
        for row in self._rows[By.VENDOR].values():
            total.whole.join(row.whole)
        return _tried(total)

    def _spans(self, row: _Row) -> tuple[Span, Span] | tuple[None, None]:
        if not self._is_split:
            return None, None
        return _span(row, row.before), _span(row, row.after)


def _rows(tried: Iterable[evidence_counts.Tried], part_of: Callable[[str | None], str | None]) -> dict[_Key, _Row]:
    rows: dict[_Key, _Row] = {}
    for one in tried:
        row = rows.setdefault((part_of(one.part), one.vendor), _Row())
        row.whole.join(one.whole)
        row.before.join(one.before)
        row.after.join(one.after)
    return rows


def _clients(row: _Row, found: Sum) -> int:
    return int(found.attempts > 0) if row.is_of_client else len(found.clients)


def _span(row: _Row, found: Sum) -> Span:
    return Span(_clients(row, found), found.attempts)


def _tried(row: _Row) -> Tried:
    one = row.whole
    is_empty = not one.hits
    return Tried(
        int(row.is_of_client) or len(one.clients), one.attempts, one.hits, one.blocked, one.coached, None,
        None if is_empty else one.first, None if is_empty else one.last,
    )  # fmt: skip


def _order(line: Line) -> tuple[int, int, str, str]:
    tried = line.tried
    return (-(tried.attempts if tried else 0), -(tried.queries if tried else 0), line.vendor or "", line.part or "")
