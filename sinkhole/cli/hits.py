"""`sinkhole hits`: show, follow and export what was recorded."""

import csv
import json
import sys
import time
from collections.abc import Iterator

import click

from sinkhole.app.client_names import clients_by_text
from sinkhole.app.hit_reference import find_reference
from sinkhole.app.hit_reports import BY, count_hits
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.evidence.as_csv import csv_cell
from sinkhole.policy.hit import HitRow
from sinkhole.protocol.types import qtype_to_text
from sinkhole.store.client_store import SeenClient
from sinkhole.store.reports import HitLine, Reports

_FOLLOW_INTERVAL = 0.5


@click.group()
def hits() -> None:
    """Show, follow and export recorded queries."""


@hits.command(short_help="Count hits by vendor, client and more.")
@place_options
@click.option("--by", type=click.Choice(BY), default="vendor", show_default=True)
@click.option("--since", type=Since(), default="7d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Rows shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def top(place: Place, by: str, since: int, limit: int, as_json: bool) -> None:
    """Count hits by vendor, client, group, category, jurisdiction …, most attempts first.

    \b
    Example: sinkhole hits top --by client --since 30d
    """
    with opened(place) as state:
        reports = Reports(state.store, state.settings.record.attempt_window)
        found = count_hits(reports, state.catalogue().catalogue, by, since)[:limit]
        known = clients_by_text(state) if by == "client" else {}
    if as_json:
        print_json([
            {by: t.key, "clients": t.clients, "attempts": t.attempts, "hits": t.hits, "blocked": t.blocked,
             "coached": t.coached, "allowed": t.allowed, "first": utc_time(t.first), "last": utc_time(t.last)}
            | _who(known.get(t.key or ""), by)
            for t in found
        ])  # fmt: skip
        return
    rows: list[tuple[object, ...]] = [
        (t.key or "(not stored)", t.clients, t.attempts, t.hits, t.blocked, t.coached, local_time(t.first),
         local_time(t.last))
        for t in found
    ]  # fmt: skip
    header: tuple[str, ...] = (by, "clients", "attempts", "hits", "blocked", "coached", "first", "last")
    if by == "client":
        names = [client.name if (client := known.get(t.key or "")) else None for t in found]
        header, rows = (*header, "name"), [(*row, name) for row, name in zip(rows, names, strict=True)]
    print_table(header, rows, empty=f"no hits since {local_time(since)}")


def _who(client: SeenClient | None, by: str) -> dict[str, object]:
    """Return who a client is, as values for JSON; nothing where hits are not counted by client."""
    if by != "client":
        return {}
    return {"name": client.name if client else None, "mac": client.identity.mac if client else None}


@hits.command()
@place_options
@click.option("-n", "count", type=click.IntRange(0), default=20, show_default=True, help="Rows shown first.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(place: Place, count: int, follow: bool, as_json: bool) -> None:
    """Show the newest hits; with --follow, as they come. Clients have their names, as far as these were known before.

    \b
    Example: sinkhole hits tail --follow
    """
    with opened(place) as state:
        reports = Reports(state.store, state.settings.record.attempt_window)
        seen = 0 if count else reports.newest_id()
        names = {text: client.name for text, client in clients_by_text(state).items()}
        lines: Iterator[HitLine] = reports.lines(limit=count, newest=True) if count else iter(())
        while True:
            for line in lines:
                seen = line.id
                _print(line, as_json, names.get(line.hit.client))
            if not follow:
                if not seen and count and not as_json:
                    click.echo("no hits yet")
                return
            sys.stdout.flush()
            time.sleep(_FOLLOW_INTERVAL)
            lines = reports.lines(after=seen)


@hits.command(short_help="Show what led to a visit of the block page.")
@place_options
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def find(context: click.Context, place: Place, reference: str, as_json: bool) -> None:
    """Show the hits that led to a visit of the block page, by the REFERENCE that stands there; status 1 for none.

    \b
    Example: sinkhole hits find 0DJ4K-9Q2MV-7TXPA
    """
    with opened(place) as state:
        found = find_reference(state, reference)
        names = {text: client.name for text, client in clients_by_text(state).items()}
    if found.lines and not found.is_same_client:
        click.echo("sinkhole: note: another address asked for the name than came to the page", err=True)
    for line in found.lines:
        _print(line, as_json, names.get(line.hit.client))
    if not found.lines:
        click.echo(f"sinkhole: no hit is kept for a visit at {local_time(found.minute * 60)}", err=True)
        context.exit(1)


def _print(line: HitLine, as_json: bool, name: str | None) -> None:
    if as_json:
        click.echo(json.dumps(_as_dict(line) | {"client_name": name}))
        return
    hit = line.hit
    what = " ".join(part for part in (hit.vendor, hit.feed and f"feed:{hit.feed}") if part)
    times = f" x{hit.count}" if hit.count > 1 else ""
    client = f"{hit.client} ({name})" if name else hit.client or "-"
    print_line(
        f"{local_time(hit.last)}  {hit.action:<7}  {client}  {hit.name} {qtype_to_text(hit.qtype)}"
        f"{times}  {what}  by {hit.subject or '-'}"
    )


@hits.command()
@place_options
@click.option("--since", type=Since(), default="7d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--format", "kind", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json: one object a line.")
def export(place: Place, since: int, kind: str, as_json: bool) -> None:
    """Print all hits as CSV or as JSON lines.

    \b
    Example: sinkhole hits export --format csv > hits.csv
    """
    with opened(place) as state:
        lines = Reports(state.store, state.settings.record.attempt_window).lines(since=since)
        if as_json or kind == "json":
            for line in lines:
                click.echo(json.dumps(_as_dict(line)))
            return
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["id", *HitRow._fields])
        for line in lines:
            writer.writerow(csv_cell(cell) for cell in _as_dict(line).values())


def _as_dict(line: HitLine) -> dict[str, object]:
    hit = line.hit
    times = {"minute": utc_time(hit.minute * 60), "first": utc_time(hit.first), "last": utc_time(hit.last)}
    row: dict[str, object] = {"id": line.id}
    return row | hit._asdict() | times | {"qtype": qtype_to_text(hit.qtype)}
