"""`sinkhole exception`: lift a block for a time, with an owner and a reason."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import click

from sinkhole.app.exception_changes import (
    Request,
    approve_exception,
    deny_exception,
    put_exception,
    request_exception,
    revoke_exception,
)
from sinkhole.app.state import State
from sinkhole.cli.complete import complete_group, complete_subject
from sinkhole.cli.options import Place, dry_run_option, force_option, json_option, place_options
from sinkhole.cli.output import local_time, print_fact, print_json, print_line, print_table
from sinkhole.cli.session import opened, print_preview, put_in_force
from sinkhole.cli.time_ahead import Length, ahead_options, end_of
from sinkhole.policy.exception import MAX_AHEAD, OPEN, ExceptionState, PolicyException

_ALL = "all"
_number = click.argument("number", type=click.IntRange(1, 2**31), metavar="ID")


@click.group()
def exception() -> None:
    """Lift a block for a time: request, approve or deny, revoke.

    What an approved exception reaches is answered truly and recorded, whatever statement blocks or coaches it. It ends
    by itself, within a year.
    """


@exception.command(short_help="Ask for an exception for SUBJECT.")
@place_options
@json_option
@click.argument("subject", shell_complete=complete_subject)
@ahead_options(MAX_AHEAD)
@click.option("--reason", required=True, help="Why it is needed.")
@click.option("--client", metavar="ADDR", help="Only for this client.")
@click.option("--group", shell_complete=complete_group, help="Only for clients of this group.")
@click.option("--owner", metavar="NAME", help="Who asks for it; you, unless told.")
@click.option("--ticket", help="Where it was asked for.")
@click.option("--approve", "is_approved", is_flag=True, help="Approve it at once.")
@force_option
def request(
    place: Place, subject: str, length: dt.timedelta | None, until: dt.datetime | None, reason: str,
    client: str | None, group: str | None, owner: str | None, ticket: str | None, is_approved: bool, force: bool,
) -> None:  # fmt: skip
    """Ask for an exception for SUBJECT, which is written as for sinkhole policy.

    \b
    Example: sinkhole exception request deepseek --for 7d --reason "a paper"
    """
    ends = end_of(length, until, MAX_AHEAD)
    if client is not None and group is not None:
        raise click.UsageError("give --client or --group, not both")
    wanted = Request(subject, ends, reason, client, group, owner, ticket)
    with opened(place) as state:
        if is_approved:
            _put_in_force(state, put_exception(state, wanted, force=force))
            return
        stored = request_exception(state, wanted)
    print_line(f"{_in_words(stored)} requested; approve it with: sinkhole exception approve {stored.id}")
    print_fact("exception", stored.id)


@exception.command(short_help="Approve request ID.")
@place_options
@json_option
@_number
@dry_run_option
@force_option
def approve(place: Place, number: int, dry_run: bool, force: bool) -> None:
    """Approve request ID; it takes the place of an exception on the same subject for the same clients.

    \b
    Example: sinkhole exception approve 3 --dry-run
    """
    now = dt.datetime.now(dt.UTC)
    with opened(place) as state:
        if dry_run:
            print_preview(state, lambda: state.exceptions.approve(number, now))
            return
        _put_in_force(state, approve_exception(state, number, force=force))


def _put_in_force(state: State, stored: PolicyException) -> None:
    print_fact("exception", stored.id)
    put_in_force(state, f"{_in_words(stored)} approved until {local_time(stored.expires)}")
    if stored.is_own:
        click.echo(f"sinkhole: note: {stored.owner} asked for it and approved it", err=True)


@exception.command()
@place_options
@json_option
@_number
def deny(place: Place, number: int) -> None:
    """Turn request ID down.

    \b
    Example: sinkhole exception deny 3
    """
    with opened(place) as state:
        print_line(f"{_in_words(deny_exception(state, number))} denied")


@exception.command()
@place_options
@json_option
@_number
@dry_run_option
@force_option
def revoke(place: Place, number: int, dry_run: bool, force: bool) -> None:
    """End exception ID before its time.

    \b
    Example: sinkhole exception revoke 3
    """
    now = dt.datetime.now(dt.UTC)
    with opened(place) as state:
        if dry_run:
            print_preview(state, lambda: state.exceptions.revoke(number, now))
            return
        stored = revoke_exception(state, number, force=force)
        put_in_force(state, f"{_in_words(stored)} revoked")


@exception.command("list")
@place_options
@click.option(
    "--state", "wanted", type=click.Choice([*(str(state) for state in ExceptionState), _ALL]),
    help="Those in this state; unless told, requests and what is approved.",
)  # fmt: skip
@click.option("--expiring", type=Length(MAX_AHEAD), metavar="LENGTH", help="Those approved that end within it: 7d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_exceptions(place: Place, wanted: str | None, expiring: dt.timedelta | None, as_json: bool) -> None:
    """List exceptions, the next to end first.

    \b
    Example: sinkhole exception list --expiring 7d
    """
    if expiring is not None and wanted is not None:
        raise click.UsageError("give --state or --expiring, not both")
    now = dt.datetime.now(dt.UTC)
    with opened(place) as state:
        found = sorted(state.exceptions.all(), key=lambda one: (one.expires, one.id))
    states = _states(wanted, expiring)
    found = [one for one in found if one.state_at(now) in states]
    if expiring is not None:
        found = [one for one in found if one.expires <= now + expiring]
    if as_json:
        print_json([_as_dict(one, now) for one in found])
        return
    rows = [
        (one.id, one.state_at(now), one.subject, one.scope, local_time(one.expires), one.owner, _approver(one),
         one.ticket, one.reason)
        for one in found
    ]  # fmt: skip
    header = ("id", "state", "subject", "for", "until", "owner", "decided by", "ticket", "reason")
    print_table(header, rows, empty="no exception")


def _states(wanted: str | None, expiring: dt.timedelta | None) -> Sequence[ExceptionState]:
    if expiring is not None:
        return (ExceptionState.APPROVED,)
    if wanted is None:
        return OPEN
    return tuple(ExceptionState) if wanted == _ALL else (ExceptionState(wanted),)


def _approver(one: PolicyException) -> str | None:
    return f"{one.approver} (own)" if one.is_own else one.approver


def _as_dict(one: PolicyException, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": one.id, "state": one.state_at(now).value, "subject": str(one.subject), "scope": one.scope,
        "client": one.client, "group": one.group, "reason": one.reason, "owner": one.owner, "ticket": one.ticket,
        "approver": one.approver, "own": one.is_own, "created": one.created, "decided": one.decided,
        "expires": one.expires,
    }  # fmt: skip


def _in_words(one: PolicyException) -> str:
    return f"exception {one.id} on {one.subject} for {one.scope}"
