"""The periodic sync inside the server: each feed on its own clock, each failure kept to itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sinkhole.app.feed_sync import open_syncer
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError
from sinkhole.feeds.schedule import due
from sinkhole.feeds.sync import SyncResult
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
        self._log = Log("sync")

    async def run(self) -> None:
        """Look for due feeds until cancelled."""
        while True:
            try:
                await self._sync_due()
            except SinkholeError as error:
                self._log.warning("sync.failed", why=error)
            await asyncio.sleep(LOOK_INTERVAL)

    async def _sync_due(self) -> None:
        feeds = await self._store.do(lambda state: state.feeds.all())
        waiting = due(feeds, self._settings.feeds.interval, datetime.now(UTC))
        if not waiting:
            return
        state = await self._store.do(lambda state: state)
        every = [feed for feed, _ in feeds]
        async with open_syncer(self._settings, state, every) as syncer, asyncio.TaskGroup() as tasks:
            for feed, known in waiting:
                tasks.create_task(self._sync(syncer.sync(feed, known)))

    async def _sync(self, sync: Awaitable[SyncResult]) -> None:
        """Take one result in as soon as it is there: a feed that hangs delays no other."""
        result = await sync
        try:
            await self._store.do(lambda state: store_result(state, result))
            if result.is_changed:
                await self._apply()
        except SinkholeError as error:
            self._log.warning("sync.not_applied", feed=result.feed, why=error)


def store_result(state: State, result: SyncResult) -> None:
    """Write how a sync ended, unless the feed was removed meanwhile."""
    known = {feed.name for feed, _ in state.feeds.all()}
    if result.feed in known:
        state.feeds.put_state(result.feed, result.state)
        state.feeds.note_run(result.feed, result.state, int(result.took * 1000))


def pick(feeds: list[tuple[Feed, FeedState]], names: tuple[str, ...]) -> list[tuple[Feed, FeedState]]:
    """Return the feeds of these names, or all enabled ones where no name is given."""
    if not names:
        return [(feed, state) for feed, state in feeds if feed.enabled]
    return [(feed, state) for feed, state in feeds if feed.name in names]
