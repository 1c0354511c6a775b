"""A feed, its server and its syncer, put together for tests."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sinkhole.config.schema import FeedSettings
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.in_force import rules_in_force
from sinkhole.feeds.reading import Job, Report, read_list
from sinkhole.feeds.signed import Signers
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.feeds.sync import Syncer, SyncResult
from sinkhole.policy.feed import Feed, FeedState
from tests.feeds.list_server import ListServer

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def names(count: int, start: int = 0) -> list[str]:
    """Return names that a list may block."""
    return [f"ai{n}.example.org" for n in range(start, start + count)]


def rows(of: Iterable[str]) -> bytes:
    """Return a list of names."""
    return "".join(f"{name}\n" for name in of).encode()


async def read_here(job: Job) -> Report:
    """Read a list as the process of its own does, without the half second that the process takes to start."""
    return await asyncio.to_thread(read_list, job)


class Rig:
    """One feed against one server; remembers the feed's state as the store would."""

    def __init__(self, server: ListServer, folder: Path, **settings: object) -> None:
        self.server = server
        self.folder = folder
        self.now = START
        self.feed = Feed("list", server.url(), "domains", allow_private=True)
        self.state = FeedState()
        self.snapshots = Snapshots(folder / "feeds")
        (folder / "lists").mkdir(exist_ok=True)
        self.syncer = self.make_syncer(**settings)

    def make_syncer(self, guard: Guard | None = None, signers: Signers | None = None, **settings: object) -> Syncer:
        """Return a syncer of the same snapshots with other settings."""
        limits = FeedSettings.model_validate({"total_timeout": 5, "connect_timeout": 2, **settings})
        fetcher = Fetcher(limits, self.server.resolve, self.folder / "lists")
        guard = guard or Guard(["cdn.example.net"])
        return Syncer(self.snapshots, fetcher, limits, guard, lambda: self.now, Random(1), read_here, signers)

    async def sync(self, *, force: bool = False) -> SyncResult:
        """Sync, an hour later than before, and remember how the feed stands."""
        self.now += timedelta(hours=1)
        result = await self.syncer.sync(self.feed, self.state, force=force)
        self.state = result.state
        return result

    async def sync_list(self, of: Iterable[str]) -> SyncResult:
        """Serve these names, and sync."""
        self.server.serve(rows(of))
        return await self.sync()

    def configure(self, **changes: object) -> None:
        """Configure the feed otherwise."""
        self.feed = replace(self.feed, **changes)  # type: ignore[arg-type]

    def blocked(self) -> list[str]:
        """Return the names of the rules in force."""
        found = rules_in_force(self.snapshots, self.feed, self.state)
        return [] if found is None else [rule.name for rule in found.rules]
