"""Print for people and for programs: tables, JSON, CSV; safe whatever a client put into a name."""

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

_GAP = "  "
_TOLD = "sinkhole.told"
_NARROWEST = 12
"""Columns of text are not cut below this, however narrow the terminal."""


def printable(value: object) -> str:
    """Return text in which control characters, escapes and direction marks are visible instead of effective."""
    if value is None:
        return "-"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))


def print_line(text: str = "") -> None:
    """Print one line of text that may hold names from the network; under `--json` it is kept for the one JSON value."""
    told = _told()
    if told is None:
        click.echo(printable(text) if text else "")
    elif text:
        told["said"].append(printable(text))


def print_fact(name: str, value: object) -> None:
    """Add a value to what a command prints under `--json`; without, print nothing."""
    told = _told()
    if told is not None:
        told[name] = value


@contextmanager
def told_as_json() -> Iterator[None]:
    """Print at the end, also of a command that ends by itself, one JSON value: `said`, its lines, and its facts."""
    told: dict[str, Any] = {"said": []}
    meta = click.get_current_context().meta
    meta[_TOLD] = told
    try:
        yield
    except (SystemExit, click.exceptions.Exit):
        print_json(told)
        raise
    else:
        print_json(told)
    finally:
        del meta[_TOLD]


def _told() -> dict[str, Any] | None:
    context = click.get_current_context(silent=True)
    told: dict[str, Any] | None = None if context is None else context.meta.get(_TOLD)
    return told


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print rows in columns under a header; numbers to the right; `empty` where there is none.

    Under `--json` they are kept, each as an object, for the one JSON value.
    """
    body = [[printable(cell) for cell in row] for row in rows]
    told = _told()
    if told is not None:
        told.setdefault("rows", []).extend(dict(zip(header, row, strict=True)) for row in body)
        return
    if not body:
        click.echo(empty)
        return
    raw = [list(header), *body]
    numeric = [_is_numeric([row[i] for row in body]) for i in range(len(header))]
    widths = _fitted([max(len(row[i]) for row in raw) for i in range(len(header))], numeric)
    for number, row in enumerate(raw):
        cells = [_cell(cell, w, right) for cell, w, right in zip(row, widths, numeric, strict=True)]
        line = _GAP.join(cells).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)


def _is_numeric(cells: Sequence[str]) -> bool:
    given = [cell for cell in cells if cell != "-"]
    return bool(given) and all(cell.replace(".", "", 1).isdigit() for cell in given)


def _fitted(widths: list[int], numeric: Sequence[bool]) -> list[int]:
    """Narrow the widest columns of text until a terminal shows a row in one line; files and pipes get all of it."""
    if not sys.stdout.isatty():
        return widths
    room = shutil.get_terminal_size().columns - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widest = max((w for w, right in zip(widths, numeric, strict=True) if not right), default=0)
        if widest <= _NARROWEST:
            break
        widths = list(widths)
        widths[widths.index(widest)] -= 1
    return widths


def _cell(text: str, width: int, right: bool) -> str:
    if len(text) > width:
        text = text[: width - 1] + "…"
    return text.rjust(width) if right else text.ljust(width)


def print_json(value: object) -> None:
    """Print one JSON value; times become ISO 8601 in UTC."""
    click.echo(json.dumps(value, indent=2, default=_plain))


def _plain(value: object) -> str:
    return utc_time(value) if isinstance(value, datetime) else str(value)


def local_time(moment: datetime | float | None) -> str:
    """Return a time as people here read it, to the minute, in local time."""
    if moment is None:
        return "-"
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def utc_time(moment: datetime | float) -> str:
    """Return a time as programs read it: ISO 8601, to the second, in UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun: `1 client`, `2 clients`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest fitting unit."""
    if moment is None:
        return "never"
    seconds = max(0.0, (now - moment).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
