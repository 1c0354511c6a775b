"""`sinkhole report bypass`: which clients look as if they went round the resolver."""

import click

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.bypass_score import (
    CANARY_MOST,
    CANARY_POINTS,
    NAME_MOST,
    NAME_POINTS,
    SILENCE_MOST,
    SILENCE_POINTS,
    BypassScore,
)
from sinkhole.app.client_names import clients_by_text
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.store.client_store import HOUR

_HEADER = ("client", "name", "score", "canaries", "names", "silence", "asked for")


@click.command(short_help="Tell which clients look as if they went round the resolver.")
@place_options
@click.option("--since", type=Since(), default="7d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bypass(place: Place, since: int, as_json: bool) -> None:
    """Tell which clients look as if they went round the resolver: a score from 0 to 100, and its parts.

    canaries: 5 for each day on which it asked a canary (20 at most). names: 4 for each hour in which it asked for
    encrypted DNS, Private Relay or another way round (40 at most). silence: 10 for each whole hour in which it asked
    nothing although it was there, others went on and it had been steady (40 at most).

    A score is a reason to look and proves nothing. Every Firefox in its default state asks a canary. Apps with
    encrypted DNS of their own, virus scanners and systems that test for it ask such names without anybody's doing.
    Silent are also a machine that sleeps with its network card awake, a phone that has moved to its mobile network
    while its lease runs on, a user at lunch, and a client that was given another address. docs/bypass.md has all of it.

    Names and canaries count as hits do (record.queries, statements on bypass:…); that a client is there is known from
    clients.leases, and from the neighbour table with clients.neighbours = "always" or where groups need it.

    \b
    Example: sinkhole report bypass --since 24h
    """
    with opened(place) as state:
        found = bypass_report(state, since)
        names = {text: one.name for text, one in clients_by_text(state).items()}
        is_stored = state.settings.record.clients != "none"
    if as_json:
        print_json([_as_dict(one, names.get(one.client)) for one in found])
        return
    if not is_stored:
        print_line("clients are not stored (record.clients), so nothing can be said of one")
        return
    rows = [
        (one.client, names.get(one.client), one.score,
         _part(one.canary_points, one.canary_days, "d"), _part(one.name_points, one.name_hours, "h"),
         _part(one.silence_points, len(one.silent_hours), "h"), ", ".join(one.names) or "-")
        for one in found
    ]  # fmt: skip
    print_table(_HEADER, rows, empty=f"no client looks so since {local_time(since)}")
    if rows:
        print_line()
        print_line("a score is a reason to look, no proof: for innocent causes see sinkhole report bypass --help")


def _part(points: int, amount: int, unit: str) -> str:
    return f"{points} ({amount} {unit})" if amount else "-"


def _as_dict(one: BypassScore, name: str | None) -> dict[str, object]:
    return {
        "client": one.client, "name": name, "score": one.score,
        "canaries": {"points": one.canary_points, "days": one.canary_days, "each": CANARY_POINTS, "most": CANARY_MOST},
        "names": {"points": one.name_points, "hours": one.name_hours, "each": NAME_POINTS, "most": NAME_MOST,
                  "asked": one.names},
        "silence": {"points": one.silence_points, "hours": [utc_time(hour * HOUR) for hour in one.silent_hours],
                    "each": SILENCE_POINTS, "most": SILENCE_MOST},
    }  # fmt: skip
