"""`sinkhole sync`: fetch feeds now."""

import asyncio
import sys

import click

from sinkhole.app.state import State
from sinkhole.app.sync_now import expect_feeds, sync_now, wanted_feeds
from sinkhole.cli.complete import complete_feed
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_table
from sinkhole.cli.session import opened, put_in_force
from sinkhole.feeds.sync import SyncResult
from sinkhole.policy.feed import FeedStatus

_GOOD = (FeedStatus.UPDATED, FeedStatus.UNCHANGED)
ALL_GOOD, SOME_KEPT, NOTHING_USABLE = 0, 1, 2


@click.command()
@place_options
@json_option
@click.argument("names", nargs=-1, metavar="[FEED]...", shell_complete=complete_feed)
@click.option("--force", is_flag=True, help="Fetch the content even if the server says it has not changed.")
def sync(place: Place, names: tuple[str, ...], force: bool) -> None:
    """Fetch feeds now (all that are enabled, unless named) and return when what is good is in force.

    Exit status: 0 all good, 1 some kept their last good rules or wait for approval, 2 none has usable rules.

    \b
    Example: sinkhole sync v2fly
    """
    with opened(place, "error") as state:  # what a sync warns of is in the table
        expect_feeds(state, names)
        results = _sync(state, names, force)
        rows = [(r.feed, r.state.status.value, r.state.rules, f"{r.took:.1f} s", r.state.message) for r in results]
        print_table(("feed", "status", "rules", "took", "why"), rows, empty="no feed is enabled")
        status = _status(results)
        if results:  # unchanged ones too: the server may have fetched them a moment ago
            refused = put_in_force(state, "rules").refused
            status = max(status, SOME_KEPT) if refused else status
    sys.exit(status)


def _sync(state: State, names: tuple[str, ...], force: bool) -> list[SyncResult]:
    with click.progressbar(
        length=len(wanted_feeds(state, names)), label="syncing", hidden=not sys.stderr.isatty(), file=sys.stderr
    ) as bar:
        return asyncio.run(sync_now(state, names, lambda result: bar.update(0 if result.is_busy else 1), force=force))


def _status(results: list[SyncResult]) -> int:
    if all(result.state.status in _GOOD for result in results):
        return ALL_GOOD
    return SOME_KEPT if any(result.state.version for result in results) else NOTHING_USABLE
