"""Options and output of reports: one writer for `report` and `audit-logs`."""

import contextlib
import functools
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sinkhole.cli.output import print_json, print_line, print_table, printable
from sinkhole.errors import SinkholeError
from sinkhole.evidence.as_csv import to_csv
from sinkhole.evidence.as_html import to_html
from sinkhole.evidence.as_json import to_json
from sinkhole.evidence.as_markdown import to_markdown
from sinkhole.evidence.model import By, Evidence
from sinkhole.evidence.tables import part_table, trend_table, vendor_table
from sinkhole.evidence.words import clock_of, headline, sentences, utc_day

FORMATS = ("table", "html", "csv", "json", "md")
_SUFFIXES = {".html": "html", ".htm": "html", ".csv": "csv", ".json": "json", ".md": "md", ".txt": "table"}


@dataclass(frozen=True, slots=True)
class Output:
    """Where a report goes: the form, and the file (None for standard output)."""

    form: str
    file: Path | None


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--format-out`, `-o`, `--json` and `--csv`, and pass them as one `output`."""

    @click.option("--format-out", type=click.Choice(FORMATS), help="Form of the report; else as the file is called.")
    @click.option(
        "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE, for you alone."
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
    @functools.wraps(command)
    def wrapped(*args: Any, format_out: str | None, file: Path | None, as_json: bool, as_csv: bool, **rest: Any) -> Any:
        said = [
            form for form, is_said in (("json", as_json), ("csv", as_csv), (format_out or "", format_out)) if is_said
        ]
        if len(set(said)) > 1:
            raise click.UsageError(f"one form at a time; found {' and '.join(said)}")
        form = said[0] if said else None
        if form is None and file is not None:
            form = _SUFFIXES.get(file.suffix.lower())
            if form is None:
                raise click.UsageError(f"-o {file}: what form? call it .html, .csv, .json or .md, or give --format-out")
        return command(*args, output=Output(form or "table", file), **rest)

    return wrapped


def write_evidence(
    evidence: Evidence, output: Output, *, more: dict[str, Any] | None = None, with_trend: bool = False
) -> None:
    """Print a report, or write it to a file, whole or not at all.

    Args:
        more: values that JSON gets beside those of the report.
        with_trend: show the trend on a terminal too.

    Raises:
        SinkholeError: the file cannot be written.
    """
    if output.file is None and output.form == "json":
        print_json(to_json(evidence) | (more or {}))
        return
    if output.file is None and output.form == "table":
        print_evidence(evidence, with_trend=with_trend)
        return
    text = _text(evidence, output.form, more or {})
    if output.file is None:
        sys.stdout.write(text)
        return
    _write(output.file, text)
    click.echo(printable(f"wrote {output.file}"), err=True)


def _text(evidence: Evidence, form: str, more: dict[str, Any]) -> str:
    match form:
        case "html":
            return to_html(evidence)
        case "csv":
            return to_csv(evidence)
        case "md":
            return to_markdown(evidence)
        case "json":
            return json.dumps(to_json(evidence) | more, indent=2) + "\n"
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        print_evidence(evidence, with_trend=True)
    return told.getvalue()


def print_evidence(evidence: Evidence, *, with_trend: bool) -> None:
    """Print a report as tables for a terminal."""
    tables = (
        [vendor_table(evidence, clock_of(evidence))]
        if evidence.by is By.VENDOR
        else [part_table(evidence, clock_of(evidence))]
    )
    if with_trend:
        tables.append(trend_table(evidence, utc_day))
    for table in tables:
        if table.rows:
            print_table(table.header, table.rows, empty="")
            print_line()
    for sentence in (headline(evidence), *sentences(evidence)):
        print_line(sentence)


def _write(file: Path, text: str) -> None:
    """Write beside the file and rename: it tells who did what, so it is for its owner alone."""
    draft = None
    try:
        fd, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:100]}.")  # mode 0600
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
        Path(draft).replace(file)
        draft = None
    except (OSError, ValueError) as error:
        raise SinkholeError(f"{file}: cannot be written: {getattr(error, 'strerror', None) or error}") from error
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)
