"""`sinkhole check`: explain what would be answered for a name, or judge it by one list file alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sinkhole.app.explain import lines_of
from sinkhole.app.explain_now import explain_now
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import print_json, print_line
from sinkhole.late import late

if TYPE_CHECKING:
    from sinkhole.app import judge_file
else:
    judge_file = late("sinkhole.app.judge_file")

_TIMES = [f"%Y-%m-%d{between}{time}{zone}" for between in "T " for time in ("%H:%M", "%H:%M:%S") for zone in ("", "%z")]


@click.command()
@place_options
@click.argument("name")
@click.option("--client", metavar="ADDR", default="127.0.0.1", show_default=True, help="The client that would ask.")
@click.option("--type", "qtype", metavar="TYPE", default="A", show_default=True, help="Query type.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--at",
    type=click.DateTime(_TIMES),
    metavar="TIME",
    help="As if asked at this local time (2030-12-31T18:00), or at one with an offset (2030-12-31T18:00+01:00).",
)
@click.option("--rules", type=click.Path(path_type=Path), help="Judge by this list file alone: no server, no store.")
@click.option("--format", "list_format", metavar="FORMAT", default="auto", show_default=True, help="Of the list file.")
def check(
    place: Place, name: str, client: str, qtype: str, as_json: bool, at: dt.datetime | None, rules: Path | None,
    list_format: str,
) -> None:  # fmt: skip
    """Explain what a client would be answered for NAME, and why.

    The last line is one word: BLOCK, COACH, MONITOR, ALLOW, NONE, or with --rules also REWRITE and the answer.

    \b
    Example: sinkhole check chat.deepseek.com --client 10.20.1.1
    """
    if rules is not None:
        if at is not None:
            raise click.UsageError("--at is for policy: what a list says does not depend on the time")
        verdict = judge_file.judge_file(rules, list_format, name, qtype, client)
        if as_json:
            print_json(verdict.to_json())
            return
        for line in verdict.lines():
            print_line(line)
        return
    if at is not None and not 1970 <= at.year < 3000:
        raise click.BadParameter("wanted a time from 1970 to 2999", param_hint="--at")
    when = dt.datetime.now(dt.UTC) if at is None else at.astimezone(dt.UTC)
    found = explain_now(place.settings(), name, qtype, client, when)
    if as_json:
        print_json(found.to_json())
        return
    for line in lines_of(found):
        print_line(line)
