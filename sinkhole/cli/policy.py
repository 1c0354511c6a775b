"""`sinkhole policy`: what is blocked, monitored and allowed, and for whom."""

from datetime import UTC, datetime
from typing import Any

import click

from sinkhole.app.expectations import gated
from sinkhole.app.gaps import gap_of
from sinkhole.cli import policy_file
from sinkhole.cli.options import Place, force_option, place_options
from sinkhole.cli.output import local_time, print_json, print_table
from sinkhole.cli.session import opened, put_in_force, subject_of
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.public_suffix import is_public_suffix


@click.group()
def policy() -> None:
    """Say what is blocked, monitored and allowed, and for whom.

    SUBJECT is vendor:deepseek, models:deepseek (the vendor and whoever serves its models), product:openai/api,
    category:chat, jurisdiction:CN, bypass:encrypted-dns, feed:ut1-ai, domain:example.com, address:192.0.2.0/24 (in
    answers), lookalikes (names that imitate a vendor's) or ai (the whole catalogue). A bare word will do where one
    thing is called so.
    """


@policy.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_statements(place: Place, as_json: bool) -> None:
    """List all statements; the more specific wins, whatever the order."""
    with opened(place) as state:
        statements = sorted(state.policy.statements(), key=lambda s: (-s.subject.kind, s.subject.value, s.scope))
    if as_json:
        print_json([_as_dict(statement) for statement in statements])
        return
    rows = [
        (
            str(s.subject),
            s.action,
            s.scope,
            _expiry(s.expires),
            s.owner,
            s.ticket,
            s.reason,
        )
        for s in statements
    ]
    header = ("subject", "action", "for", "expires", "owner", "ticket", "reason")
    print_table(header, rows, empty="no statement: everything is answered truly, nothing is recorded")


def _expiry(expires: datetime | None) -> str:
    if expires is None:
        return "never"
    return f"{local_time(expires)}{' (over)' if expires <= datetime.now(UTC) else ''}"


def _as_dict(statement: Statement) -> dict[str, Any]:
    return {
        "id": statement.id, "subject": str(statement.subject), "action": str(statement.action),
        "scope": statement.scope, "group": statement.group, "reason": statement.reason, "owner": statement.owner,
        "ticket": statement.ticket, "expires": statement.expires,
    }  # fmt: skip


def _statement_command(action: Action, meaning: str) -> click.Command:
    @policy.command(str(action), help=meaning)
    @place_options
    @click.argument("subject")
    @click.option("--group", help="Only for clients of this group.")
    @click.option("--reason", help="Why; shown by check and in the audit log.")
    @click.option("--owner", help="Who answers for it.")
    @click.option("--ticket", help="Where it was decided.")
    @click.option(
        "--until",
        type=click.DateTime(),
        metavar="TIME",
        help="Local time at which it ends by itself: 2030-12-31 or 2030-12-31T18:00:00.",
    )
    @force_option
    def command(
        place: Place, subject: str, group: str | None, reason: str | None, owner: str | None, ticket: str | None,
        until: datetime | None, force: bool,
    ) -> None:  # fmt: skip
        expires = until.astimezone(UTC) if until else None
        if expires and expires <= datetime.now(UTC):
            raise click.BadParameter(f"{local_time(expires)} is in the past", param_hint="--until")
        with opened(place) as state:
            about = subject_of(state, subject)
            if about.kind is SubjectKind.DOMAIN and action is Action.BLOCK and is_public_suffix(about.value):
                click.echo(f"sinkhole: warning: {about.value} is a public suffix: all names below it are hit", err=True)
            with gated(state, force=force):
                stored = state.policy.put(Statement(0, about, action, group, reason, owner, ticket, expires))
            put_in_force(state, f"{stored.action} {stored.subject} for {stored.scope}")
            gap = gap_of(about, state.catalogue().catalogue) if action is not Action.ALLOW else None
            if gap is not None:
                click.echo(f"sinkhole: note: {gap}", err=True)

    return command


_statement_command(Action.BLOCK, "Answer SUBJECT with the sinkhole, and record who tried.")
_statement_command(Action.MONITOR, "Answer SUBJECT truly, and record who asked.")
_statement_command(Action.ALLOW, "Answer SUBJECT truly.")


@policy.command()
@place_options
@click.argument("subject")
@click.option("--group", help="The statement of this group, instead of that for all.")
@force_option
def remove(place: Place, subject: str, group: str | None, force: bool) -> None:
    """Remove the statement on SUBJECT."""
    with opened(place) as state:
        about = subject_of(state, subject)
        with gated(state, force=force):
            gone = state.policy.remove(about, group)
        put_in_force(state, f"removed {gone.action} {gone.subject} for {gone.scope}")


for _command in policy_file.COMMANDS:
    policy.add_command(_command)
