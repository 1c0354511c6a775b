"""Fetch feeds at once, as the command line and the admin side do it, beside the server's own periodic sync."""

import asyncio
import time
from collections.abc import Callable, Sequence

from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State
from sinkhole.app.subjects import nearest
from sinkhole.app.sync_job import pick, store_result
from sinkhole.errors import FeedError
from sinkhole.feeds.sync import SyncResult

_LOOK_AGAIN = 0.2
"""Seconds between looks at a feed that somebody else is syncing."""


def expect_feeds(state: State, names: Sequence[str]) -> None:
    """Refuse names of which there is no feed.

    Raises:
        FeedError: with the nearest name.
    """
    known = {feed.name for feed, _ in state.feeds.all()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise FeedError(f"there is no feed {', '.join(unknown)}{nearest(unknown[0], tuple(known))}")


def wanted_feeds(state: State, names: tuple[str, ...]) -> list[str]:
    """Return the names of the feeds that are synced for these: all that are enabled for none."""
    return [feed.name for feed, _ in pick(state.feeds.all(), names)]


async def sync_now(
    state: State, names: tuple[str, ...], note: Callable[[SyncResult], None], *, force: bool = False
) -> list[SyncResult]:
    """Sync feeds (all that are enabled for no names) and store how that went.

    Args:
        note: is told each result as it comes, also of feeds that somebody else is syncing.
        force: fetch the content even if the server says that it has not changed.

    Returns:
        How it went. What is unchanged may not be in force yet either: somebody else may just have fetched it.
    """
    feeds = state.feeds.all()
    vetoes = state.catalogue().catalogue.vetoes
    async with open_syncer(state.settings, state, [feed for feed, _ in feeds], vetoes) as syncer:

        def take(result: SyncResult) -> None:
            store_result(state, result)
            note(result)

        results = {r.feed: r for r in await syncer.sync_all(pick(feeds, names), take, force=force)}
        until = time.monotonic() + state.settings.feeds.total_timeout
        while (busy := {r.feed for r in results.values() if r.is_busy}) and time.monotonic() < until:
            await asyncio.sleep(_LOOK_AGAIN)
            again = [(feed, known) for feed, known in state.feeds.all() if feed.name in busy]
            results |= {r.feed: r for r in await syncer.sync_all(again, take, force=force)}
        return list(results.values())
