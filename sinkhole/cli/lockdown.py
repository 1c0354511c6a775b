"""`sinkhole lockdown`: block for a while, whatever else allows it."""

import datetime as dt

import click

from sinkhole.app.override_changes import MOST
from sinkhole.app.subject_in import subjects_in
from sinkhole.cli import momentary
from sinkhole.cli.complete import complete_group, complete_subject
from sinkhole.cli.momentary import Momentary
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.session import opened
from sinkhole.cli.time_ahead import ahead_options, end_of
from sinkhole.policy.override import OverrideKind

_MOST = MOST[OverrideKind.LOCKDOWN]


@click.command("begin")
@place_options
@json_option
@ahead_options(_MOST)
@click.option("--group", shell_complete=complete_group, help="Only for clients of this group.")
@click.option(
    "--subject", "words", multiple=True, metavar="SUBJECT", shell_complete=complete_subject,
    help="This instead of ai, lookalikes and every bypass way; may be repeated.",
)  # fmt: skip
@click.option("--reason", help="Why; shown by check and in the audit log.")
def _begin(
    place: Place, length: dt.timedelta | None, until: dt.datetime | None, group: str | None, words: tuple[str, ...],
    reason: str | None,
) -> None:  # fmt: skip
    """Block for a while, whatever else allows it.

    \b
    Example: sinkhole lockdown --until 12:00 --group lab
    """
    ends = end_of(length, until, _MOST)
    with opened(place) as state:
        momentary.begin(state, OverrideKind.LOCKDOWN, subjects_in(state, words), group, ends, reason)


lockdown = Momentary(
    OverrideKind.LOCKDOWN,
    _begin,
    """Block for a while, whatever statements, exceptions, grants and pauses say.

    Unless told otherwise it is about ai, lookalikes and every bypass way. It ends by itself.

    \b
    Example: sinkhole lockdown --until 12:00 --group lab
    """,
)
