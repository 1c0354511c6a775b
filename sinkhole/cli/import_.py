"""`sinkhole import`: take over what another resolver was told."""

import datetime as dt
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from sinkhole.app.apply import apply
from sinkhole.app.import_apply import carry_out, read_list_files, take_records_in
from sinkhole.app.import_cleanup import clean_up_after_kill
from sinkhole.app.import_judge import Judged, judge_import
from sinkhole.app.import_plan import Plan, plan_import
from sinkhole.app.records_file import RECORDS
from sinkhole.app.state import State
from sinkhole.cli.options import Place, force_option, place_options
from sinkhole.cli.output import count_of, print_json, print_line
from sinkhole.cli.session import opened
from sinkhole.foreign.adguard import read_adguard
from sinkhole.foreign.blocky import read_blocky
from sinkhole.foreign.hosts import read_hosts_file
from sinkhole.foreign.model import Foreign, Note
from sinkhole.foreign.pihole import read_pihole
from sinkhole.foreign.policy_zone import read_policy_zone

DONE, REFUSED = 0, 1


@click.group("import")
def import_() -> None:
    """Take over what another resolver was told: groups, clients, lists, rules and local records.

    All of the file is read and judged first. What is done, what it means, and all that has no counterpart is printed;
    then it is done as a whole, or not at all. The second time nothing changes. See docs/migration.md.
    """


def _import_command(name: str, read: Callable[[Path], Foreign], what: str, example: str) -> None:
    @import_.command(name, short_help=f"Take over {what}.", help=_help(what, name, example))
    @place_options
    @click.argument("file", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Show what would be done, and do not do it.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--prefix", metavar="NAME", help="Begin the names of groups and lists with NAME-.")
    @force_option
    def command(
        place: Place, file: Path, dry_run: bool, as_json: bool, prefix: str | None, force: bool
    ) -> None:  # fmt: skip
        foreign = read(file)
        with opened(place, "error") as state:  # what a sync warns of is told
            if clean_up_after_kill(state):
                click.echo("sinkhole: cleaned up after an import that was killed", err=True)
            plan = plan_import(state, foreign, prefix)
            judged = judge_import(state, plan, dt.datetime.now(dt.UTC))
            told = _Told(plan, judged, as_json)
            if judged.broken and not force:
                told.end("refused: nothing is changed; change the expectations first, or give --force", REFUSED)
            elif plan.is_empty:
                told.end("nothing to change", DONE)
            elif dry_run:
                told.end("nothing is changed: this was a dry run", DONE)
            else:
                told.begin()
                said, problems = _carry_out(state, plan, judged)
                told.end(said, REFUSED if problems else DONE, is_done=True, problems=problems)


def _carry_out(state: State, plan: Plan, judged: Judged) -> tuple[str, list[str]]:
    """Do it; return in words what was done, and what went wrong with it."""
    carry_out(state, plan, judged.broken)
    problems = read_list_files(state, plan)
    applied = apply(state)
    problems += applied.refused.values()
    said = f"{count_of(sum(1 for _ in plan.lines()), 'change')} made: {applied}"
    if plan.records and take_records_in(state):
        said += f"; the server reads {RECORDS} again"
    if any(feed.enabled and not feed.local for feed in plan.feeds):
        said += "; fetch the lists now with: sinkhole sync"
    return said, problems


def _help(what: str, name: str, example: str) -> str:
    return (
        f"Take over {what}.\n\nFirst the changes, their impact on known names, and what has no counterpart are shown; "
        "then all is done in one go.\n\nExit status: 0 done or nothing to do, 1 refused since an expectation would be "
        f"broken, or a list waits for approval, 2 FILE cannot be used.\n\n\b\nExample: sinkhole import {name} {example}"
    )


class _Told:
    """Prints an import, for people or as JSON."""

    def __init__(self, plan: Plan, judged: Judged, as_json: bool) -> None:
        self._plan = plan
        self._judged = judged
        self._as_json = as_json
        self._notes = {
            "left_out": [note for note in plan.foreign.notes if note.is_left_out],
            "altered": [note for note in plan.foreign.notes if not note.is_left_out],
        }
        self._has_begun = False

    def begin(self) -> None:
        """Print what will be done, before it is."""
        self._has_begun = True
        if self._as_json:
            return
        for _, line in self._plan.lines():
            print_line(line)
        for line in self._judged.impact or ("no known name gets another verdict",):
            print_line(f"impact {line}")
        _print_notes("carried over with another meaning", self._notes["altered"])
        _print_notes("not carried over", self._notes["left_out"])
        for one in self._judged.broken:
            print_line(f"broken: {one}")

    def end(self, said: str, status: int, *, is_done: bool = False, problems: Sequence[str] = ()) -> None:
        """Print how it ended, and end the command where that was no success."""
        if not self._has_begun:
            self.begin()
        if self._as_json:
            print_json(self._value(said, is_done, problems))
        else:
            for problem in problems:
                click.echo(f"sinkhole: {problem}", err=True)
            print_line(f"{said}; {self._counts()}")
        if status:
            sys.exit(status)

    def _counts(self) -> str:
        altered, left_out = (len(self._notes[key]) for key in ("altered", "left_out"))
        return f"{altered} carried over with another meaning, {left_out} not carried over"

    def _value(self, said: str, is_done: bool, problems: Sequence[str]) -> dict[str, Any]:
        plan = self._plan
        return {
            "product": plan.foreign.product,
            "done": is_done,
            "said": said,
            "changes": [{"kind": kind, "text": line} for kind, line in plan.lines()],
            "impact": self._judged.impact,
            "broken": [str(one) for one in self._judged.broken],
            "problems": problems,
            "altered": [_as_dict(note) for note in self._notes["altered"]],
            "left_out": [_as_dict(note) for note in self._notes["left_out"]],
        }


def _print_notes(title: str, notes: Sequence[Note]) -> None:
    if notes:
        print_line(f"{title} ({len(notes)}):")
    for note in notes:
        print_line(f"  {note}")


def _as_dict(note: Note) -> dict[str, Any]:
    return {
        "file": note.place.file, "line": note.place.line, "place": note.place.key, "item": note.item, "why": note.why,
    }  # fmt: skip


_import_command("pihole", read_pihole, "a Teleporter archive or gravity.db of a Pi-hole", "pi-hole_teleporter.zip")
_import_command("adguard", read_adguard, "the AdGuardHome.yaml of an AdGuard Home", "AdGuardHome.yaml --dry-run")
_import_command("blocky", read_blocky, "the configuration of a blocky", "config.yml --prefix office")
_import_command("rpz", read_policy_zone, "a response policy zone", "db.rpz.example.org --json")
_import_command("hosts", read_hosts_file, "a hosts file", "/etc/hosts")
