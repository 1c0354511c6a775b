"""`sinkhole policy export|diff|apply|test`: policy as a file, under version control."""

import datetime as dt
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sinkhole.app.policy_changes import Change, changes, stored_policy
from sinkhole.app.policy_file import PolicyFile, fields_of, text_of, updated_text
from sinkhole.app.policy_plan import carry_out, plan_policy, policy_of_file, read_file
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import count_of, print_fact, print_line
from sinkhole.cli.session import opened, put_in_force
from sinkhole.errors import PolicyError
from sinkhole.policy.expectation import Broken, broken_of

_MAX_OCTETS = 16 * 1024 * 1024
_NOTHING = "nothing to change"
_file = click.argument("file", type=click.Path(path_type=Path))


@click.command(short_help="Print the policy as a file, or update one.")
@place_options
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="FILE", help="Update FILE; what stays keeps its words."
)
def export(place: Place, into: Path | None) -> None:
    """Print the policy as a file: groups, statements, exceptions and expectations, always in the same order.

    With --into, change an existing file instead: comments and the order of what did not change stay.

    \b
    Example: sinkhole policy export > policy.toml
    """
    with opened(place) as state:
        policy = stored_policy(state)
        if into is None:
            click.echo(text_of(policy), nl=False)
            return
        text = _text(into) if into.exists() else text_of(PolicyFile())
        new = updated_text(text, read_file(state, text, str(into)), policy)
        if read_file(state, new, str(into)).in_order() != policy:
            raise PolicyError(f"{into}: cannot be updated; write it anew with: sinkhole policy export")
    _write(into, new)
    print_line(f"{into}: {'is up to date' if new == text else 'updated'}")


@click.command()
@place_options
@json_option
@_file
def diff(place: Place, file: Path) -> None:
    """Tell what apply would change. Exit status: 0 nothing, 1 something, 2 FILE cannot be used.

    \b
    Example: sinkhole policy diff policy.toml
    """
    with opened(place) as state:
        wanted = read_file(state, _text(file), str(file)).without_ended(dt.datetime.now(dt.UTC))
        found = changes(stored_policy(state), wanted)
    _print_changes(found)
    sys.exit(1 if found else 0)


@click.command(short_help="Judge the expectations of FILE by the policy of FILE.")
@place_options
@json_option
@_file
def test(place: Place, file: Path) -> None:
    """Judge the expectations of FILE by the policy of FILE, over the names in force; change nothing.

    Exit status: 0 all hold, 1 some are broken, 2 FILE cannot be used.

    \b
    Example: sinkhole policy test policy.toml
    """
    with opened(place) as state:
        wanted = read_file(state, _text(file), str(file))
        broken = broken_of(policy_of_file(state, wanted), wanted.expectations, dt.datetime.now(dt.UTC))
    _print_broken(broken)
    print_line(f"{count_of(len(wanted.expectations), 'expectation')}, {len(broken) or 'none'} broken")
    sys.exit(1 if broken else 0)


@click.command(short_help="Make the policy what FILE says.")
@place_options
@json_option
@_file
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do not do it.")
def apply(place: Place, file: Path, yes: bool, dry_run: bool) -> None:
    """Make the policy what FILE says: all of it or nothing, after showing what changes and what that means.

    Exit status: 0 done or nothing to do, 1 refused since an expectation would be broken, 2 FILE cannot be used.

    \b
    Example: sinkhole policy apply policy.toml --dry-run
    """
    with opened(place) as state:
        plan = plan_policy(state, read_file(state, _text(file), str(file)), dt.datetime.now(dt.UTC))
        _print_changes(plan.changes)
        if not plan.changes:
            return
        for line in plan.impact:
            print_line(line)
        if plan.broken:
            _print_broken(plan.broken)
            click.echo("sinkhole: refused: nothing is changed", err=True)
            sys.exit(1)
        if dry_run:
            return
        _ask(yes)
        warnings = carry_out(state, plan)
        put_in_force(state, f"{count_of(len(plan.changes), 'change')} made")
        for said in warnings:
            click.echo(f"sinkhole: warning: {said}", err=True)


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise PolicyError("nobody can be asked here: give --yes to apply, or --dry-run to look only")
    click.confirm("Apply?", abort=True, err=True)


def _text(file: Path) -> str:
    with file.open("rb") as octets:
        found = octets.read(_MAX_OCTETS + 1)
    if len(found) > _MAX_OCTETS:
        raise PolicyError(f"{file}: is larger than {_MAX_OCTETS} octets, which no policy is")
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise PolicyError(f"{file}: is not in UTF-8: {error}") from error


def _write(file: Path, text: str) -> None:
    """Replace a file in one step; a crash leaves the old one or the new one."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text)
        if file.exists():
            draft.chmod(file.stat().st_mode & 0o777)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _print_changes(found: Sequence[Change]) -> None:
    for change in found:
        print_line(str(change))
    if not found:
        print_line(_NOTHING)
    print_fact("changes", [_as_dict(change) for change in found])


def _as_dict(change: Change) -> dict[str, Any]:
    sides = (("before", change.before), ("after", change.after))
    return {"kind": change.kind} | {side: None if item is None else fields_of(item) for side, item in sides}


def _print_broken(broken: Sequence[Broken]) -> None:
    for one in broken:
        print_line(f"broken: {one}")
    print_fact("broken", [str(one) for one in broken])
