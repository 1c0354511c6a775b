"""What pause and lockdown have in common: a command that begins one, beside those that end and list them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from sinkhole.app.state import State
from sinkhole.cli.complete import complete_group
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import local_time, print_fact, print_json, print_table
from sinkhole.cli.session import opened, put_in_force
from sinkhole.late import late
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.subject import Subject

if TYPE_CHECKING:
    from sinkhole.app import override_changes, subjects
else:
    override_changes = late("sinkhole.app.override_changes")
    subjects = late("sinkhole.app.subjects")


class Momentary(click.Group):
    """A group whose line begins one unless it names a command: `sinkhole pause 15m`, `sinkhole pause end|list`.

    Args:
        kind: what it begins, ends and lists; its word is the name of the group.
        begin: the command that begins one; its options are shown as those of the group.
    """

    def __init__(self, kind: OverrideKind, begin: click.Command, help: str) -> None:  # noqa: A002 - click's name
        word, pieces = str(kind), _pieces(begin)
        super().__init__(word, help=help, params=begin.params, subcommand_metavar=pieces, no_args_is_help=True)
        self._begin = begin
        self.add_command(_end_command(kind))
        self.add_command(_list_command(kind))

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return `--help` alone: the others are read by the command that begins one."""
        help_option = self.get_help_option(ctx)
        return [] if help_option is None else [help_option]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave the line to the command that begins one, unless it names another or asks for help."""
        if args and args[0].isalpha() and args[0] not in self.commands and not ctx.resilient_parsing:
            near = subjects.nearest(args[0], list(self.commands)) or f"; there are {', '.join(self.commands)}"
            ctx.fail(f"No such command {args[0]!r}{near}")
        is_other = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_other else [self._begin.name or "", *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Return a command; any other word is for the one that begins."""
        return self.commands.get(cmd_name, self._begin)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and the options of beginning one."""
        found = [*super().shell_complete(ctx, incomplete), *self._begin.shell_complete(ctx, incomplete)]
        return list({item.value: item for item in found}.values())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of beginning one, and the commands."""
        self._begin.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def _end_command(kind: OverrideKind) -> click.Command:
    said = f"End a {kind} before its time."

    @click.command("end", short_help=said, help=f"{said}\n\n\b\nExample: sinkhole {kind} end --group lab")
    @place_options
    @json_option
    @click.option("--group", shell_complete=complete_group, help=f"The {kind} of this group, instead of that for all.")
    def end_one(place: Place, group: str | None) -> None:
        with opened(place) as state:
            end(state, kind, group)

    return end_one


def _list_command(kind: OverrideKind) -> click.Command:
    said = f"List the {kind}s that have not ended."

    @click.command("list", short_help=said, help=f"{said}\n\n\b\nExample: sinkhole {kind} list --json")
    @place_options
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def list_them(place: Place, as_json: bool) -> None:
        with opened(place) as state:
            print_overrides(state, kind, as_json=as_json)

    return list_them


def _pieces(begin: click.Command) -> str:
    arguments = [str(p.metavar or p.name).upper() for p in begin.params if isinstance(p, click.Argument)]
    return " ".join([*arguments, "| COMMAND"])


def begin(
    state: State, kind: OverrideKind, subjects: Sequence[Subject], group: str | None, ends: dt.datetime,
    reason: str | None,
) -> None:  # fmt: skip
    """Begin one for all or a group, put it in force and say so."""
    stored = override_changes.begin_override(state, kind, subjects, group, ends, reason)
    print_fact(str(kind), stored.id)
    put_in_force(state, f"{in_words(stored)} until {local_time(stored.ends)}")


def end(state: State, kind: OverrideKind, group: str | None) -> None:
    """End those of all or of a group, put that in force and say so.

    Raises:
        PolicyError: there is none; those of other scopes are told.
    """
    put_in_force(state, f"ended {', '.join(map(in_words, override_changes.end_overrides(state, kind, group)))}")


def print_overrides(state: State, kind: OverrideKind, *, as_json: bool) -> None:
    """Print those of a kind that have not ended."""
    found = [one for one in state.overrides.in_force(dt.datetime.now(dt.UTC)) if one.kind is kind]
    if as_json:
        print_json([as_dict(one) for one in found])
        return
    rows = [
        (one.id, _about(one), one.scope, local_time(one.begins), local_time(one.ends), one.owner, one.reason)
        for one in found
    ]
    print_table(("id", "what", "for", "begun", "until", "by", "reason"), rows, empty=f"no {kind}")


def as_dict(one: Override) -> dict[str, Any]:
    """Return one as values for JSON."""
    return {
        "id": one.id, "kind": one.kind.value, "subjects": list(map(str, one.subjects)), "scope": one.scope,
        "client": one.client, "group": one.group, "begins": one.begins, "ends": one.ends, "reason": one.reason,
        "owner": one.owner,
    }  # fmt: skip


def in_words(one: Override) -> str:
    """Return which one it is, and what it is about."""
    return f"{one.kind} {one.id} on {_about(one)} for {one.scope}"


def _about(one: Override) -> str:
    return " ".join(map(str, one.subjects)) or "everything"
