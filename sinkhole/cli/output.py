"""Print for people and for programs: tables, JSON, CSV; safe whatever a client put into a name."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import click


def printable(value: object) -> str:
    """Return text in which control characters, escapes and direction marks are visible instead of effective."""
    if value is None:
        return "-"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))


def print_line(text: str = "") -> None:
    """Print one line of text that may hold names from the network."""
    click.echo(printable(text) if text else "")


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows in columns under a header; numbers to the right; `empty` where there is none."""
    body = [[printable(cell) for cell in row] for row in rows]
    if not body:
        click.echo(empty)
        return
    raw = [list(header), *body]
    widths = [max(len(row[i]) for row in raw) for i in range(len(header))]
    numeric = [all(row[i].replace(".", "", 1).isdigit() or row[i] == "-" for row in body) for i in range(len(header))]
    for number, row in enumerate(raw):
        cells = [cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric, strict=True)]
        line = "  ".join(cells).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)


def print_json(value: object) -> None:
    """Print one JSON value."""
    click.echo(json.dumps(value, indent=2, default=str))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return CSV in which no cell can be taken for a formula by a spreadsheet (CWE-1236)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def csv_cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula (CWE-1236)."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def local_time(moment: datetime | float | None) -> str:
    """Return a time as people here read it, to the minute, in local time."""
    if moment is None:
        return "-"
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest fitting unit."""
    if moment is None:
        return "never"
    seconds = max(0.0, (now - moment).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
