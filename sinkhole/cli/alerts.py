"""`sinkhole alerts`: what a person should know."""

import asyncio
from collections.abc import Mapping

import click

from sinkhole.app.out import takes_alerts
from sinkhole.app.out_status import receiver_of, send_test, told_of_test
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.errors import OutError
from sinkhole.log import configure
from sinkhole.store.alert_store import AlertStore


@click.group()
def alerts() -> None:
    """Show alerts, and test where they are sent."""


@alerts.command("list", short_help="List the alerts that were raised.")
@place_options
@click.option("--since", type=Since(), default="30d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Alerts shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(place: Place, since: int, limit: int, as_json: bool) -> None:
    """List the alerts that were raised, the newest first.

    new-vendor: the first hit of a vendor in alerts.new_vendor_days. first-after-ban: the first query that ran into a
    new block. feed-quarantined: new content of a feed waits for approval. recorder-dropping: queries could not be
    recorded. bypass-suspected: a client scores alerts.bypass_score or more in `sinkhole report bypass`.

    \b
    Example: sinkhole alerts list --since 7d
    """
    with opened(place) as state:
        found = AlertStore(state.store).newest(limit, since)
        is_watched = takes_alerts(state.settings)
    if as_json:
        print_json([
            {"id": one.id, "at": utc_time(one.at), "kind": one.kind, "cause": one.cause, "text": one.text,
             "facts": dict(one.facts)}
            for one in found
        ])  # fmt: skip
        return
    rows = [(local_time(one.at), one.kind, one.text, _facts(one.facts)) for one in found]
    empty = f"no alert since {local_time(since)}" if is_watched else "nothing takes alerts, so none are looked for"
    print_table(("at", "kind", "what", "more"), rows, empty=empty)


@alerts.command(short_help="Send a test alert to a receiver.")
@place_options
@click.argument("receiver")
@json_option
def test(place: Place, receiver: str) -> None:
    """Send a test alert to a receiver, from here, whether or not a server runs.

    \b
    Example: sinkhole alerts test soc
    """
    configure("warning")
    settings = place.checked_settings()
    chosen = receiver_of(settings, receiver)
    if "alerts" not in chosen.what:
        raise OutError(f"receiver {receiver} takes no alerts: its what is {', '.join(chosen.what)}")
    print_line(told_of_test(chosen, asyncio.run(send_test(settings, chosen, ["alerts"]))))


def _facts(facts: Mapping[str, str | int]) -> str:
    return " ".join(f"{key}={value}" for key, value in facts.items() if value)
