"""`sinkhole policy`: what is blocked, coached, monitored and allowed, and for whom."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import click

from sinkhole.app.coach import unseen
from sinkhole.app.expectations import gated
from sinkhole.app.gaps import gap_of
from sinkhole.cli import policy_file
from sinkhole.cli.basis import basis_option
from sinkhole.cli.complete import complete_group, complete_subject
from sinkhole.cli.momentary import in_words
from sinkhole.cli.options import Place, dry_run_option, force_option, json_option, place_options
from sinkhole.cli.output import local_time, print_json, print_table
from sinkhole.cli.session import opened, print_preview, put_in_force, subject_of
from sinkhole.policy.basis import Basis
from sinkhole.policy.override import OverrideKind
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.public_suffix import is_public_suffix
from sinkhole.resolver.blocked import block_answer


@click.group()
def policy() -> None:
    """Say what is blocked, coached, monitored and allowed, and for whom.

    SUBJECT is vendor:deepseek, models:deepseek (the vendor and whoever serves its models), product:openai/api,
    category:chat, jurisdiction:CN, bypass:encrypted-dns, feed:ut1-ai, domain:example.com, address:192.0.2.0/24 (in
    answers), lookalikes (names that imitate a vendor's), unreviewed (names that look like AI and that nobody has
    reviewed: sinkhole discover) or ai (the whole catalogue). A bare word will do where one thing is called so.
    """


@policy.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_statements(place: Place, as_json: bool) -> None:
    """List all statements; the more specific wins, whatever the order.

    \b
    Example: sinkhole policy list --json
    """
    with opened(place) as state:
        statements = sorted(state.policy.statements(), key=lambda s: (-s.subject.kind, s.subject.value, s.extent))
        before_them = [one for one in state.overrides.in_force(datetime.now(UTC)) if one.kind is not OverrideKind.GRANT]
    if as_json:
        print_json([_as_dict(statement) for statement in statements])
        return
    rows = [
        (
            str(s.subject),
            s.action,
            s.scope,
            s.schedule or "always",
            _expiry(s.expires),
            s.owner,
            s.ticket,
            s.basis,
            s.reason,
        )
        for s in statements
    ]
    header = ("subject", "action", "for", "schedule", "expires", "owner", "ticket", "basis", "reason")
    print_table(header, rows, empty="no statement: everything is answered truly, nothing is recorded")
    for one in before_them:
        click.echo(f"sinkhole: note: {in_words(one)} goes before them until {local_time(one.ends)}", err=True)


def _expiry(expires: datetime | None) -> str:
    if expires is None:
        return "never"
    return f"{local_time(expires)}{' (over)' if expires <= datetime.now(UTC) else ''}"


def _as_dict(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id, "subject": str(statement.subject), "action": str(statement.action),
        "scope": statement.scope, "group": statement.group, "reason": statement.reason, "owner": statement.owner,
        "ticket": statement.ticket, "expires": statement.expires, "schedule": statement.schedule,
        "basis": statement.basis,
    }  # fmt: skip


def _statement_command(action: Action, meaning: str, example: str) -> click.Command:
    @policy.command(str(action), short_help=meaning, help=f"{meaning}\n\n\b\nExample: sinkhole policy {example}")
    @place_options
    @json_option
    @click.argument("subject", shell_complete=complete_subject)
    @click.option("--group", shell_complete=complete_group, help="Only for clients of this group.")
    @click.option("--reason", help="Why; shown by check and in the audit log.")
    @click.option("--owner", help="Who answers for it.")
    @click.option("--ticket", help="Where it was decided.")
    @click.option(
        "--until",
        type=click.DateTime(),
        metavar="TIME",
        help="Local time at which it ends by itself: 2030-12-31 or 2030-12-31T18:00:00.",
    )
    @click.option(
        "--schedule",
        metavar="TEXT",
        help="Only at these times: 'mon-fri 08:00-12:00,13:00-17:30; sat 09:00-12:00 @Europe/Berlin'.",
    )
    @basis_option(action)
    @dry_run_option
    @force_option
    def command(
        place: Place, subject: str, group: str | None, reason: str | None, owner: str | None, ticket: str | None,
        until: datetime | None, schedule: str | None, dry_run: bool, force: bool,
        basis: Basis | None = None,
    ) -> None:  # fmt: skip
        expires = until.astimezone(UTC) if until else None
        if expires and expires <= datetime.now(UTC):
            raise click.BadParameter(f"{local_time(expires)} is in the past", param_hint="--until")
        times = schedule_from_text(schedule) if schedule is not None else None
        if times is not None:
            _check_is_to_come(times, expires)
        with opened(place) as state:
            about = subject_of(state, subject)
            if about.kind is SubjectKind.DOMAIN and action >= Action.COACH and is_public_suffix(about.value):
                click.echo(f"sinkhole: warning: {about.value} is a public suffix: all names below it are hit", err=True)
            wanted = Statement(0, about, action, group, reason, owner, ticket, expires, times, basis)
            if dry_run:
                print_preview(state, lambda: state.policy.put(wanted))
                return
            with gated(state, force=force):
                stored = state.policy.put(wanted)
            put_in_force(state, f"{stored.action} {stored.subject} for {stored.extent}")
            gap = gap_of(about, state.catalogue().catalogue) if action is not Action.ALLOW else None
            if gap is not None:
                click.echo(f"sinkhole: note: {gap}", err=True)
            for said in unseen([stored], state.policy.groups(), block_answer(state.settings.blocking)):
                click.echo(f"sinkhole: warning: {said}", err=True)
            for other in _outranking(stored, state.policy.statements()):
                said = f"{other.action} {other.subject} for {other.scope} holds at all times and goes before {action}"
                click.echo(f"sinkhole: note: {said}", err=True)

    return command


def _check_is_to_come(schedule: Schedule, expires: datetime | None) -> None:
    now = datetime.now(UTC)
    begins = now if schedule.holds(now) else schedule.next_edge(now)
    if begins is None or (expires is not None and expires <= begins):
        raise click.BadParameter(f"{schedule} does not hold from now on", param_hint="--schedule")


def _outranking(stored: Statement, statements: Sequence[Statement]) -> list[Statement]:
    """Return what leaves a statement with a schedule no effect: a stricter one without, on its subject and scope."""
    same, now = (stored.subject, stored.group, None), datetime.now(UTC)
    rivals = [s for s in statements if (s.subject, s.group, s.schedule) == same and s.action > stored.action]
    return [s for s in rivals if s.holds(now)]


def _which(schedule: str | None) -> Schedule | Literal["always", "any"]:
    """Read which of the statements on one subject and scope is meant."""
    if schedule is None:
        return "any"
    return "always" if schedule.strip().lower() == "always" else schedule_from_text(schedule)


_statement_command(
    Action.BLOCK,
    "Answer SUBJECT with the sinkhole, and record who tried.",
    "block deepseek --basis law --ticket A-7 --dry-run",
)
_statement_command(
    Action.COACH,
    "Answer SUBJECT with the block page, and record who tried; who reads its notice may go on for coach.minutes.",
    "coach category:chat --group staff",
)
_statement_command(Action.MONITOR, "Answer SUBJECT truly, and record who asked.", "monitor jurisdiction:CN")
_statement_command(Action.ALLOW, "Answer SUBJECT truly.", "allow mistral --group research --until 2030-12-31")


@policy.command()
@place_options
@json_option
@click.argument("subject", shell_complete=complete_subject)
@click.option("--group", shell_complete=complete_group, help="The statement of this group, instead of that for all.")
@click.option("--schedule", metavar="TEXT", help="Where there are several: that with this schedule, or `always`.")
@dry_run_option
@force_option
def remove(place: Place, subject: str, group: str | None, schedule: str | None, dry_run: bool, force: bool) -> None:
    """Remove the statement on SUBJECT.

    \b
    Example: sinkhole policy remove deepseek --group staff
    """
    times = _which(schedule)
    with opened(place) as state:
        about = subject_of(state, subject)
        if dry_run:
            print_preview(state, lambda: state.policy.remove(about, group, times))
            return
        with gated(state, force=force):
            gone = state.policy.remove(about, group, times)
        put_in_force(state, f"removed {gone.action} {gone.subject} for {gone.extent}")


for _command in policy_file.COMMANDS:
    policy.add_command(_command)
