"""`sinkhole sync`: fetch feeds now."""

import asyncio
import sys
import time

import click

from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State
from sinkhole.app.subjects import nearest
from sinkhole.app.sync_job import pick, store_result
from sinkhole.cli.complete import complete_feed
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import print_table
from sinkhole.cli.session import opened, put_in_force
from sinkhole.errors import FeedError
from sinkhole.feeds.sync import SyncResult
from sinkhole.policy.feed import FeedStatus

_GOOD = (FeedStatus.UPDATED, FeedStatus.UNCHANGED)
_LOOK_AGAIN = 0.2
"""Seconds between looks at a feed that the running server is syncing by itself."""
ALL_GOOD, SOME_KEPT, NOTHING_USABLE = 0, 1, 2


@click.command()
@place_options
@json_option
@click.argument("names", nargs=-1, metavar="[FEED]...", shell_complete=complete_feed)
@click.option("--force", is_flag=True, help="Fetch the content even if the server says it has not changed.")
def sync(place: Place, names: tuple[str, ...], force: bool) -> None:
    """Fetch feeds now (all that are enabled, unless named) and put what is good in force.

    Exit status: 0 all good, 1 some kept their last good rules or wait for approval, 2 none has usable rules.

    \b
    Example: sinkhole sync v2fly
    """
    with opened(place, "error") as state:  # what a sync warns of is in the table
        known = {feed.name for feed, _ in state.feeds.all()}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise FeedError(f"there is no feed {', '.join(unknown)}{nearest(unknown[0], tuple(known))}")
        results, has_waited = asyncio.run(_sync(state, names, force))
        rows = [(r.feed, r.state.status.value, r.state.rules, f"{r.took:.1f} s", r.state.message) for r in results]
        print_table(("feed", "status", "rules", "took", "why"), rows, empty="no feed is enabled")
        status = _status(results)
        if any(result.is_changed for result in results) or has_waited:
            refused = put_in_force(state, "new rules").refused
            status = max(status, SOME_KEPT) if refused else status
    sys.exit(status)


async def _sync(state: State, names: tuple[str, ...], force: bool) -> tuple[list[SyncResult], bool]:
    """Return how it went, and whether the server was syncing the same feed, so that its result is not yet applied."""
    feeds = state.feeds.all()
    wanted = pick(feeds, names)
    vetoes = state.catalogue().catalogue.vetoes
    async with open_syncer(state.settings, state, [feed for feed, _ in feeds], vetoes) as syncer:
        with click.progressbar(
            length=len(wanted), label="syncing", hidden=not sys.stderr.isatty(), file=sys.stderr
        ) as bar:

            def note(result: SyncResult) -> None:
                store_result(state, result)
                bar.update(0 if result.is_busy else 1)

            results = {r.feed: r for r in await syncer.sync_all(wanted, note, force=force)}
            has_waited = False
            until = time.monotonic() + state.settings.feeds.total_timeout
            while (busy := {r.feed for r in results.values() if r.is_busy}) and time.monotonic() < until:
                has_waited = True
                await asyncio.sleep(_LOOK_AGAIN)
                again = [(feed, known) for feed, known in state.feeds.all() if feed.name in busy]
                results |= {r.feed: r for r in await syncer.sync_all(again, note, force=force)}
            return list(results.values()), has_waited


def _status(results: list[SyncResult]) -> int:
    if all(result.state.status in _GOOD for result in results):
        return ALL_GOOD
    return SOME_KEPT if any(result.state.version for result in results) else NOTHING_USABLE
