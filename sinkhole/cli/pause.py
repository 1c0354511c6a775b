"""`sinkhole pause`: answer truly for a while what policy blocks, and record it."""

import datetime as dt

import click

from sinkhole.app.override_changes import MOST
from sinkhole.app.subject_in import subjects_in
from sinkhole.cli import momentary
from sinkhole.cli.complete import complete_group, complete_subject
from sinkhole.cli.momentary import Momentary
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.session import opened
from sinkhole.cli.time_ahead import Length
from sinkhole.policy.override import OverrideKind


@click.command("begin")
@place_options
@json_option
@click.argument("length", type=Length(MOST[OverrideKind.PAUSE]), metavar="LENGTH")
@click.option("--group", shell_complete=complete_group, help="Only for clients of this group.")
@click.option(
    "--subject",
    "words",
    multiple=True,
    metavar="SUBJECT",
    shell_complete=complete_subject,
    help="Only this; may be repeated.",
)
@click.option("--reason", help="Why; shown by check and in the audit log.")
def _begin(place: Place, length: dt.timedelta, group: str | None, words: tuple[str, ...], reason: str | None) -> None:
    """Pause policy for LENGTH: 15m, 2h, 1d; at most 7d.

    \b
    Example: sinkhole pause 15m --group lab
    """
    with opened(place) as state:
        ends = dt.datetime.now(dt.UTC) + length
        momentary.begin(state, OverrideKind.PAUSE, subjects_in(state, words), group, ends, reason)


pause = Momentary(
    OverrideKind.PAUSE,
    _begin,
    """Answer truly for LENGTH (15m, 2h, 1d; at most 7d) what is blocked or coached.

    It is recorded as monitored, and marked as paused. A lockdown goes on. The pause ends by itself.

    \b
    Example: sinkhole pause 15m --group lab
    """,
)
