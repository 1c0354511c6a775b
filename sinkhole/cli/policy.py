"""`sinkhole policy`: what is blocked, coached, monitored and allowed, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sinkhole.cli.basis import basis_option
from sinkhole.cli.complete import complete_group, complete_subject
from sinkhole.cli.lazy_group import LazyGroup
from sinkhole.cli.momentary import in_words
from sinkhole.cli.options import Place, dry_run_option, force_option, json_option, place_options
from sinkhole.cli.output import local_time, print_json, print_table
from sinkhole.cli.session import opened, print_preview, put_in_force
from sinkhole.late import late
from sinkhole.policy.basis import Basis
from sinkhole.policy.override import OverrideKind
from sinkhole.policy.statement import Statement
from sinkhole.policy.verdict import Action

if TYPE_CHECKING:
    from sinkhole.app import statement_changes, subject_in
else:
    statement_changes = late("sinkhole.app.statement_changes")
    subject_in = late("sinkhole.app.subject_in")


@click.group(cls=LazyGroup, later=dict.fromkeys(("export", "diff", "test", "apply"), "sinkhole.cli.policy_file"))
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
        wish = statement_changes.Wish(
            subject, action, group, reason, owner, ticket, until and until.astimezone(UTC), schedule, basis
        )
        with opened(place) as state:
            try:
                wanted = statement_changes.read_wish(state, wish)
            except statement_changes.TimeError as error:
                raise click.BadParameter(str(error), param_hint=f"--{error.of}") from error
            if warning := statement_changes.warning_before(wanted):
                click.echo(f"sinkhole: warning: {warning}", err=True)
            if dry_run:
                print_preview(state, lambda: state.policy.put(wanted))
                return
            stored = statement_changes.store_statement(state, wanted, force=force)
            put_in_force(state, f"{stored.action} {stored.subject} for {stored.extent}")
            remarks = statement_changes.remarks_on(state, stored)
            for word, said in (("warning", remarks.warnings), ("note", remarks.notes)):
                for one in said:
                    click.echo(f"sinkhole: {word}: {one}", err=True)

    return command


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
    times = statement_changes.times_from_text(schedule)
    with opened(place) as state:
        about = subject_in.subject_in(state, subject)
        if dry_run:
            print_preview(state, lambda: state.policy.remove(about, group, times))
            return
        gone = statement_changes.remove_statement(state, about, group, times, force=force)
        put_in_force(state, f"removed {gone.action} {gone.subject} for {gone.extent}")
