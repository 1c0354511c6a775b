"""The periodic sync inside the server: each feed on its own clock, each failure kept to itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError
from sinkhole.feeds.schedule import due
from sinkhole.feeds.sync import Syncer, SyncResult
from sinkhole.log import Log
from sinkhole.policy.feed import Feed, FeedState

LOOK_INTERVAL = 15.0
"""Seconds between looks at what is due."""


class SyncJob:
    """Sync what is due, note how it went, and have changed rules applied.

    Args:
        apply: compiles and publishes.
    """

    def __init__(self, settings: Settings, store: StoreKeeper, apply: Callable[[], Awaitable[Any]]) -> None:
        self._settings = settings
        self._store = store
        self._apply = apply
        self._under_way: set[str] = set()
        self._log = Log("sync")

    async def run(self) -> None:
        """Start what is due, again and again, until cancelled; what is under way never delays what is due."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self._start_due(tasks)
                except SinkholeError as error:
                    self._log.warning("sync.failed", why=error)
                await asyncio.sleep(LOOK_INTERVAL)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> None:
        feeds, state = await self._store.do(lambda state: (state.feeds.all(), state))
        waiting = due(feeds, self._settings.feeds.interval, datetime.now(UTC))
        waiting = [(feed, known) for feed, known in waiting if feed.name not in self._under_way]
        if waiting:
            vetoes = await self._store.do(lambda state: state.catalogue().catalogue.vetoes)
            self._under_way |= {feed.name for feed, _ in waiting}
            tasks.create_task(self._sync_batch(state, [feed for feed, _ in feeds], waiting, vetoes))

    async def _sync_batch(
        self, state: State, every: list[Feed], waiting: list[tuple[Feed, FeedState]], vetoes: Iterable[str]
    ) -> None:
        async with open_syncer(self._settings, state, every, vetoes) as syncer, asyncio.TaskGroup() as tasks:
            for feed, known in waiting:
                tasks.create_task(self._sync(syncer, feed, known))

    async def _sync(self, syncer: Syncer, feed: Feed, known: FeedState) -> None:
        """Sync one feed and take the result in as soon as it is there."""
        try:
            result = await syncer.sync(feed, known)
            await self._store.do(lambda state: store_result(state, result))
            if result.is_changed:
                await self._apply()
        except SinkholeError as error:
            self._log.warning("sync.not_applied", feed=feed.name, why=error)
        finally:
            self._under_way.discard(feed.name)


def store_result(state: State, result: SyncResult) -> None:
    """Write how a sync ended, unless the feed was removed meanwhile, or someone else is about to write that."""
    if result.is_busy:
        return
    known = {feed.name for feed, _ in state.feeds.all()}
    if result.feed in known:
        state.feeds.put_state(result.feed, result.state)
        state.feeds.note_run(result.feed, result.state, int(result.took * 1000))


def pick(feeds: list[tuple[Feed, FeedState]], names: tuple[str, ...]) -> list[tuple[Feed, FeedState]]:
    """Return the feeds of these names, or all enabled ones where no name is given."""
    if not names:
        return [(feed, state) for feed, state in feeds if feed.enabled]
    return [(feed, state) for feed, state in feeds if feed.name in names]
