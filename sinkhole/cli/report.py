"""`sinkhole report`: how many clients tried which vendor."""

import sys
import time

import click
from click.core import ParameterSource

from sinkhole.app.around import around_statement, equal_spans
from sinkhole.app.hit_evidence import Wanted, hit_evidence
from sinkhole.app.reveal import pseudonym_writer, reveal
from sinkhole.app.state import State
from sinkhole.cli.evidence_out import Output, output_options, write_evidence
from sinkhole.cli.options import Place, place_options
from sinkhole.cli.output import count_of, local_time, print_json, print_line, print_table, utc_time
from sinkhole.cli.report_bypass import bypass
from sinkhole.cli.report_clients import clients
from sinkhole.cli.session import opened
from sinkhole.cli.since import Since
from sinkhole.evidence.model import Around, By, Evidence
from sinkhole.evidence.tables import main_table, trend_table
from sinkhole.evidence.words import utc_day
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.recorder import dropped


@click.group(invoke_without_command=True)
@place_options
@click.option("--since", type=Since(), default="30d", show_default=True, help="7d, 12h, 30min, or a local date.")
@click.option("--until", type=Since(), help="The same; now, unless given.")
@click.option("--around", metavar="DATE|NUMBER", help="Compare equal times before and after a date, or a statement.")
@click.option("--by", type=click.Choice([by.value for by in By]), default="vendor", show_default=True)
@click.option("--k", "floor", type=click.IntRange(1), default=1, help="Merge rows of fewer clients than this.")
@click.option("--pseudonyms", is_flag=True, help="Write pseudonyms of clients.")
@click.option("--trend", "step", type=click.Choice(("day", "week")), help="Show it on a terminal too.")
@click.option("--reveal", "pseudonyms_to_reveal", metavar="PSEUDONYM", multiple=True, help="Tell who that is.")
@click.option("--reason", help="Why it is revealed, for the audit log.")
@output_options
@click.pass_context
def report(
    context: click.Context, place: Place, since: int, until: int | None, around: str | None, by: str, floor: int,
    pseudonyms: bool, step: str | None, pseudonyms_to_reveal: tuple[str, ...], reason: str | None, output: Output,
) -> None:  # fmt: skip
    """Tell how many clients tried which vendor, how often, when first and last, and whether it was blocked.

    An attempt is what one client did with one vendor at a time: A, AAAA, HTTPS and retries count once. What is new
    was tried before --since by nobody. With -o report.html it is a page for people, with charts, that prints well.

    --around compares the time before and after a date or the number of a statement (the moment it was made, or changed
    what it does). With --k 5 nothing is told of fewer than 5 clients. With --pseudonyms clients have names that only
    --reveal turns back; the audit log notes who did so, and why.

    \b
    Example: sinkhole report --around 2026-11-01 --by group -o report.html
    """
    if context.invoked_subcommand is not None:
        _refuse_lost_options(context)
        return
    if pseudonyms_to_reveal or reason is not None:
        _reveal(place, pseudonyms_to_reveal, reason, output)
        return
    chosen = By(by)
    if chosen is By.CLIENT and floor > 1:
        raise click.UsageError(f"--by client tells each client by itself, which --k {floor} rules out")
    now = int(time.time())
    with opened(place) as state:
        is_said = context.get_parameter_source("since") is not ParameterSource.DEFAULT
        spans = None if around is None else _around(state, around, since if is_said else None, until or now + 1)
        wanted = Wanted(
            since=since if spans is None else spans.at - spans.seconds,
            until=(now + 1 if until is None else until) if spans is None else spans.at + spans.seconds,
            by=chosen, floor=floor, step=step, around=spans,
            client_text=pseudonym_writer(state) if pseudonyms and chosen is By.CLIENT else str,
        )  # fmt: skip
        evidence = hit_evidence(state, wanted, now)
        with state.store.reading() as connection:
            lost = dropped(connection)
    if output.file is None and output.form == "table":
        _print(evidence, with_trend=step is not None)
        return
    write_evidence(evidence, output, more={"hits_dropped": lost})


def _around(state: State, text: str, since: int | None, until: int) -> Around:
    """Read `--around`: the number of a statement, or a moment as of `--since`."""
    if text.isdecimal() and len(text) < 18:
        at, what = around_statement(state, int(text))
    else:
        try:
            at = Since()(text)
        except click.BadParameter as error:
            raise click.BadParameter(f"{error.message}, nor the number of a statement", param_hint="--around") from None
        what = f"--around {text}"
    oldest = EvidenceCounts(state.store, state.settings.record.attempt_window).recorded().oldest_minute
    return equal_spans(at, what, None if oldest is None else oldest * 60, since, until)


def _print(evidence: Evidence, *, with_trend: bool) -> None:
    """Print tables, and below what they leave open."""
    since = local_time(evidence.since)
    table = main_table(evidence, local_time)
    print_table(table.header, table.rows, empty=f"no vendor was tried since {since}")
    if with_trend and evidence.trend:
        trend = trend_table(evidence, utc_day)
        print_line()
        print_table(trend.header, trend.rows, empty="")
    if table.rows:
        print_line()
        print_line(f"{_who(evidence)} since {since}; an attempt counts once, however many queries it took")
    if evidence.around is not None:
        days = evidence.around.seconds / 86_400
        at = local_time(evidence.around.at)
        print_line(f"before and after are the {days:.3g} days before and after {at} ({evidence.around.what})")
    for note in evidence.notes:
        print_line(note)


def _who(evidence: Evidence) -> str:
    if evidence.total is None:
        return f"fewer than {evidence.floor} clients"
    if not evidence.total.clients:
        return "clients are not stored; counted"
    return count_of(evidence.total.clients, "client")


def _reveal(place: Place, pseudonyms: tuple[str, ...], reason: str | None, output: Output) -> None:
    if not pseudonyms:
        raise click.UsageError("--reason: goes with --reveal PSEUDONYM")
    if reason is None or not reason.strip():
        raise click.UsageError("--reveal: say why with --reason; the audit log notes it")
    with opened(place) as state:
        found = [(one, reveal(state, one, reason.strip())) for one in pseudonyms]
        who = state.who
    if output.form == "json":
        print_json({"revealed": dict(found), "noted_for": who, "at": utc_time(time.time())})
    else:
        for pseudonym, client in found:
            print_line(f"{pseudonym} is {client}" if client else f"{pseudonym} is no client that is stored")
        print_line(f"the audit log notes that {who} asked, and why")
    if any(client is None for _, client in found):
        sys.exit(1)


def _refuse_lost_options(context: click.Context) -> None:
    """Refuse options before the name of a subcommand, which would not reach it."""
    for option in context.command.params:
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"write {option.opts[0]} after {context.invoked_subcommand}, to which it belongs")


report.add_command(bypass)
report.add_command(clients)
