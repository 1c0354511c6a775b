"""`sinkhole report`: how many clients tried which vendor."""

import sys
from collections.abc import Callable

import click
from click.core import ParameterSource

from sinkhole.app.hit_reports import count_hits
from sinkhole.catalogue.load import Catalogue
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import count_of, csv_text, local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.report_bypass import bypass
from sinkhole.cli.report_clients import clients
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.store.recorder import dropped
from sinkhole.store.reports import Reports, Tally

_HEADER = ("vendor", "name", "in", "clients", "attempts", "blocked", "coached", "allowed", "first", "last")


@click.group(invoke_without_command=True)
@place_options
@click.option("--since", type=Since(), default="30d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--until", type=Since(), help="The same; now, unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.pass_context
def report(context: click.Context, place: Place, since: int, until: int | None, as_json: bool, as_csv: bool) -> None:
    """Tell how many clients tried which vendor, how often, when first and last, and whether it was blocked.

    An attempt is what one client did with one vendor at a time: A, AAAA, HTTPS and retries count once.

    \b
    Example: sinkhole report --since 30d
    """
    if context.invoked_subcommand is not None:
        _refuse_lost_options(context)
        return
    with opened(place) as state:
        catalogue = state.catalogue().catalogue
        reports = Reports(state.store, state.settings.record.attempt_window)
        found = count_hits(reports, catalogue, "vendor", since, until)
        asking = sum(bool(tally.key) for tally in count_hits(reports, catalogue, "client", since, until))
        with state.store.reading() as connection:
            lost = dropped(connection)
    rows = [_row(tally, catalogue, utc_time if as_json or as_csv else local_time) for tally in found]
    if as_json:
        vendors = [dict(zip(_HEADER, row, strict=True)) for row in rows]
        print_json({"clients": asking, "vendors": vendors, "hits_dropped": lost})
        return
    if as_csv:
        sys.stdout.write(csv_text(_HEADER, rows))
        return
    print_table(_HEADER, rows, empty=f"no vendor was tried since {local_time(since)}")
    if rows:
        print_line()
        who = count_of(asking, "client") if asking else "clients are not stored; counted"
        said = f"{who} since {local_time(since)}"
        print_line(f"{said}; an attempt counts once, however many queries it took")
    if lost:
        said = "1 query could not be recorded and is" if lost == 1 else f"{lost} queries could not be recorded and are"
        print_line(f"{said} missing here")


def _refuse_lost_options(context: click.Context) -> None:
    """Refuse options before the name of a subcommand, which would not reach it."""
    for option in context.command.params:
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"write {option.opts[0]} after {context.invoked_subcommand}, to which it belongs")


def _row(tally: Tally, catalogue: Catalogue, in_words: Callable[[float], str]) -> tuple[object, ...]:
    vendor = catalogue.by_id.get(tally.key or "")
    return (
        tally.key,
        vendor.name if vendor else None,
        vendor.jurisdiction.value if vendor else None,
        tally.clients,
        tally.attempts,
        tally.blocked,
        tally.coached,
        tally.allowed,
        in_words(tally.first),
        in_words(tally.last),
    )


report.add_command(bypass)
report.add_command(clients)
