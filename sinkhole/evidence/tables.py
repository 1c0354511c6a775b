"""A report as tables: the same columns in all forms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sinkhole.evidence.model import Bucket, By, Evidence, Line, Span

Cell = str | int | None
InWords = Callable[[float], str]
MOST_VENDORS = 6
"""Vendors with a column of their own in the trend; the rest are together."""
_FEW = "<{}"
"""How `fewer than N` is written in a cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people and programs: title, names of columns, rows; `numeric` columns go to the right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[str]


_NUMERIC = frozenset((
    "clients", "attempts", "queries", "blocked", "coached", "allowed", "refused there", "before", "after",
    "clients before", "clients after", "change %",
))  # fmt: skip


_HEADINGS = {
    "vendor": "Id", "name": "Vendor", "in": "Jurisdiction", "change %": "Change, %",
    **{name: name.capitalize() for name in (*_NUMERIC - {"change %"}, "first", "last", "new", "group", "client")},
}  # fmt: skip


def heading(name: str) -> str:
    """Return a column as people call it; files for programs keep its name, and so do columns of vendors."""
    return _HEADINGS.get(name, name)


def told(name: str, cell: Cell) -> Cell:
    """Return a cell of a column as people say it."""
    return "not known" if name == "in" and cell == "ZZ" else cell


def main_table(evidence: Evidence, in_words: InWords) -> Table:
    """Return the table that the report is by."""
    return vendor_table(evidence, in_words) if evidence.by is By.VENDOR else part_table(evidence, in_words)


def without_ids(table: Table) -> Table:
    """Return a table without the column of ids, which the names beside it make needless for people."""
    place = table.header.index("vendor")
    rows = tuple((*row[:place], *row[place + 1 :]) for row in table.rows)
    return replace(table, header=(*table.header[:place], *table.header[place + 1 :]), rows=rows)


def vendor_table(evidence: Evidence, in_words: InWords) -> Table:
    """Return the table of vendors."""
    return _table("By vendor", evidence, evidence.vendors, in_words, None)


def part_table(evidence: Evidence, in_words: InWords) -> Table:
    """Return the table of groups or clients, each with its vendors."""
    return _table(f"By {evidence.by.value}", evidence, evidence.parts, in_words, evidence.by)


def _table(title: str, evidence: Evidence, lines: Sequence[Line], in_words: InWords, by: By | None) -> Table:
    columns = _columns(evidence, lines, in_words, by)
    header = tuple(name for name, _ in columns)
    rows = tuple(tuple(cell(line) for _, cell in columns) for line in lines)
    return Table(title, header, rows, _NUMERIC)


def _columns(
    evidence: Evidence, lines: Sequence[Line], in_words: InWords, by: By | None
) -> list[tuple[str, Callable[[Line], Cell]]]:
    few = _FEW.format(evidence.floor)
    told = [evidence.total, *(line.tried for line in lines)]
    has_policy = any(tried is not None and tried.blocked is not None for tried in told)
    has_refused = any(tried is not None and tried.refused is not None for tried in told)

    def count(name: str) -> Callable[[Line], Cell]:
        return lambda line: None if line.tried is None else getattr(line.tried, name)

    def clients(line: Line) -> Cell:
        return few if line.tried is None else line.tried.clients

    def moment(name: str) -> Callable[[Line], Cell]:
        def told(line: Line) -> Cell:
            at = None if line.tried is None else getattr(line.tried, name)
            return None if at is None else in_words(at)

        return told

    columns: list[tuple[str, Callable[[Line], Cell]]] = []
    if by is not None:
        columns.append((by.value, lambda line: line.part or (None if line.merged else _no_part(by))))
    columns += [
        ("vendor", lambda line: line.vendor),
        ("name", lambda line: line.name),
        ("in", lambda line: line.jurisdiction),
    ]
    if by is not By.CLIENT:
        columns.append(("clients", clients))
    columns.append(("attempts", count("attempts")))
    if not has_policy:
        columns.append(("queries", count("queries")))
    else:
        columns += [(name, count(name)) for name in ("blocked", "coached", "allowed")]
    if has_refused:
        columns.append(("refused there", count("refused")))
    columns += [("first", moment("first")), ("last", moment("last"))]
    if any(line.is_new for line in lines):
        columns.append(("new", lambda line: "new" if line.is_new else None))
    if evidence.around is not None:
        columns += [
            ("before", lambda line: _span(line.before, line, few)[1]),
            ("after", lambda line: _span(line.after, line, few)[1]),
            ("clients before", lambda line: _span(line.before, line, few)[0]),
            ("clients after", lambda line: _span(line.after, line, few)[0]),
            ("change %", _change),
        ]
    return columns


def _no_part(by: By) -> str:
    return "(no group)" if by is By.GROUP else "(not stored)"


def _span(span: Span | None, line: Line, few: str) -> tuple[Cell, Cell]:
    """Return clients and attempts of a span; of one that is not told, that they are few."""
    if span is None:
        return (None, None) if line.merged else (few, None)
    return span.clients, span.attempts


def _change(line: Line) -> Cell:
    """Return by how many per cent attempts changed, or `new` and `gone`."""
    if line.before is None or line.after is None or not (line.before.attempts or line.after.attempts):
        return None
    if not line.before.attempts:
        return "new"
    if not line.after.attempts:
        return "gone"
    return round(100 * (line.after.attempts - line.before.attempts) / line.before.attempts)


def trend_table(evidence: Evidence, day_of: InWords) -> Table:
    """Return the trend: a row a day or week, a column for each of the vendors with the most attempts."""
    vendors, has_rest = leading(evidence)
    names = {line.vendor: line.name for line in evidence.vendors if line.vendor}
    few = _FEW.format(evidence.floor)
    has_clients = any(bucket.clients is not None for bucket in evidence.trend)
    columns = [names.get(vendor, vendor) for vendor in vendors]
    header = (
        f"{evidence.step} from", *(("clients",) if has_clients else ()), "attempts", *columns,
        *(("others",) if has_rest else ()),
    )  # fmt: skip
    rows = []
    for bucket in evidence.trend:
        parts: list[Cell] = [bucket.attempts.get(vendor, 0) for vendor in vendors]
        if has_rest:
            parts.append(bucket.total - sum(bucket.attempts.get(vendor, 0) for vendor in vendors))
        clients: tuple[Cell, ...] = (bucket.clients,) if has_clients else ()
        if bucket.is_withheld:
            clients, parts = (few,) if has_clients else (), [None for _ in parts]
        total = None if bucket.is_withheld else bucket.total
        rows.append((day_of(bucket.start), *clients, total, *parts))
    return Table(f"By {evidence.step}", header, tuple(rows), frozenset(header[1:]))


def leading(evidence: Evidence) -> tuple[list[str], bool]:
    """Return the vendors with the most attempts in the trend, and whether there are others."""
    return leading_in(evidence.trend)


def leading_in(trend: Sequence[Bucket]) -> tuple[list[str], bool]:
    """Return the same of a trend."""
    sums: dict[str, int] = {}
    for bucket in trend:
        for vendor, count in bucket.attempts.items():
            if vendor:
                sums[vendor] = sums.get(vendor, 0) + count
    ordered = sorted(sums, key=lambda vendor: (-sums[vendor], vendor))
    return ordered[:MOST_VENDORS], len(ordered) > MOST_VENDORS


def source_table(evidence: Evidence) -> Table:
    """Return what was read."""
    rows = tuple((source.name, source.kind, source.said) for source in evidence.sources)
    return Table("What was read", ("source", "kind", "read"), rows, frozenset())
