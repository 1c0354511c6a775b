"""`sinkhole out`: receivers of what is recorded."""

import asyncio

import click

from sinkhole.app.out_status import Receiver, receiver_of, receivers, send_test, told_of_test
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.log import configure

_HEADER = ("receiver", "kind", "target", "what", "format", "sent", "waiting", "lost", "last", "state")


@click.group()
def out() -> None:
    """Show and test where hits, alerts and audit entries are sent (`[[out]]` in the settings)."""


@out.command("list", short_help="List the receivers, and how far each has come.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(place: Place, as_json: bool) -> None:
    """List the receivers, and how far each has come.

    waiting: events it has not taken yet; those in skip_groups, and hits of this minute, count too. lost: events deleted
    for their age (record.days, record.max_mib) before it took them.

    \b
    Example: sinkhole out list
    """
    with opened(place) as state:
        found = receivers(state)
    if as_json:
        print_json([_as_dict(one) for one in found])
        return
    print_table(_HEADER, map(_row, found), empty="nothing is sent to anybody; see [[out]] in docs/out.md")


@out.command(short_help="Send a test to a receiver, from here.")
@place_options
@click.argument("receiver")
@json_option
def test(place: Place, receiver: str) -> None:
    """Send a receiver one event of each kind it gets, which says that it is a test; from here, whether a server runs.

    What is known then is told: a webhook answers, syslog does not.

    \b
    Example: sinkhole out test siem
    """
    configure("warning")
    settings = place.checked_settings()
    chosen = receiver_of(settings, receiver)
    number = asyncio.run(send_test(settings, chosen, chosen.what))
    print_line(told_of_test(chosen, number))


def _row(one: Receiver) -> tuple[object, ...]:
    cursor = one.cursor
    if cursor is None:
        return (one.name, one.kind, one.target, one.what, one.form, 0, 0, 0, None, "no server was started with it yet")
    state = "good" if cursor.failing is None else f"since {local_time(cursor.failing)}: {cursor.why}"
    if one.dead_octets:
        state += f"; {one.dead_octets} octets of dead letters"
    return (
        one.name, one.kind, one.target, one.what, one.form, cursor.sent, one.waiting, cursor.lost,
        local_time(cursor.at), state,
    )  # fmt: skip


def _as_dict(one: Receiver) -> dict[str, object]:
    cursor = one.cursor
    return {
        "receiver": one.name, "kind": one.kind, "target": one.target, "what": one.what, "format": one.form,
        "sent": cursor.sent if cursor else 0, "waiting": one.waiting, "lost": cursor.lost if cursor else 0,
        "last": utc_time(cursor.at) if cursor and cursor.at else None,
        "failing": utc_time(cursor.failing) if cursor and cursor.failing else None,
        "why": cursor.why if cursor else None, "dead_letter_octets": one.dead_octets,
    }  # fmt: skip
