"""`sinkhole report clients`: which clients tried AI vendors."""

import click

from sinkhole.app.client_names import clients_by_text
from sinkhole.app.hit_reports import count_hits
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import local_time, print_json, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.store.client_store import SeenClient
from sinkhole.store.reports import Reports, Tally

_HEADER = ("client", "mac", "name", "groups", "attempts", "hits", "blocked", "first", "last")


@click.command(short_help="Tell which clients have hits, and who they are.")
@place_options
@click.option("--since", type=Since(), default="30d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--until", type=Since(), help="The same; now, unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def clients(place: Place, since: int, until: int | None, as_json: bool) -> None:
    """Tell which clients have hits, most attempts first, and who they are as far as that was noted.

    \b
    Example: sinkhole report clients --since 7d
    """
    with opened(place) as state:
        reports = Reports(state.store, state.settings.record.attempt_window)
        found = count_hits(reports, state.catalogue().catalogue, "client", since, until)
        known = clients_by_text(state)
    rows = [_row(tally, known.get(tally.key or ""), as_json) for tally in found]
    if as_json:
        print_json([dict(zip(_HEADER, row, strict=True)) for row in rows])
        return
    print_table(_HEADER, rows, empty=f"no hits since {local_time(since)}")


def _row(tally: Tally, client: SeenClient | None, as_json: bool) -> tuple[object, ...]:
    in_words = utc_time if as_json else local_time
    groups = client.groups if client else ()
    return (
        (tally.key or None) if as_json else tally.key or "(not stored)",
        client.identity.mac if client else None,
        client.name if client else None,
        groups if as_json else ", ".join(groups) or None,
        tally.attempts,
        tally.hits,
        tally.blocked,
        in_words(tally.first),
        in_words(tally.last),
    )
