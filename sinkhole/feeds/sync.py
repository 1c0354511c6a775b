"""Sync feeds: fetch, read, vet, and take over or hold. Whatever goes wrong, the last good rules stay (R-F01)."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from sinkhole.config.schema import FeedSettings
from sinkhole.errors import FeedError, SinkholeError
from sinkhole.feeds import outcome
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.fetched import Fetched, NotModified, Validators
from sinkhole.feeds.guard import Guard
from sinkhole.feeds.includes import fetch_includes
from sinkhole.feeds.reading import Job, Report
from sinkhole.feeds.reading_process import read_apart
from sinkhole.feeds.schedule import next_sync
from sinkhole.feeds.signed import Signers, fetch_signature, refuse_older
from sinkhole.feeds.snapshot import BusyError, Meta, Snapshots, checksums
from sinkhole.feeds.snapshot_files import BODY, RULES
from sinkhole.feeds.vet import Count, doubts
from sinkhole.log import Log
from sinkhole.policy.feed import Feed, FeedState, FeedStatus

FETCHES: Final = 16
"""Feeds fetched at the same time; a hanging one holds its place for its time limit and delays no other."""
_READING: Final = "2"
"""Changes when lists are read in another way, so that all are read anew."""
_LOG: Final = Log("feeds")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """How the sync of one feed ended.

    Attributes:
        feed: its name.
        state: how it stands now; `state.message` says why.
        is_changed: another version is in force than before.
        report: of what was read; None when nothing new was.
        took: seconds.
        is_busy: nothing was done, since someone else was syncing it; `state` may be older than what they store.
    """

    feed: str
    state: FeedState
    is_changed: bool
    report: Report | None
    took: float
    is_busy: bool = False


class Syncer:
    """Syncs feeds.

    Args:
        snapshots: where versions are kept.
        fetcher: fetches them.
        settings: limits and intervals.
        guard: names no feed may take: those never blocked, the hosts of upstreams and of all feeds.
        clock: the time, aware UTC.
        random: for jitter.
        read: reads and vets a list without holding up the event loop.
        signers: judges signed feeds; None: none can be synced.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        fetcher: Fetcher,
        settings: FeedSettings,
        guard: Guard,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Random | None = None,
        read: Callable[[Job], Awaitable[Report]] = read_apart,
        signers: Signers | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._fetcher = fetcher
        self._settings = settings
        self._guard = guard
        self._clock = clock
        self._random = random or Random()
        self._read = read
        self._signers = signers
        self._fetching = asyncio.Semaphore(FETCHES)
        self._reading = asyncio.Semaphore(1)  # one list in memory at a time

    async def sync_all(
        self,
        feeds: Iterable[tuple[Feed, FeedState]],
        on_result: Callable[[SyncResult], None] = lambda result: None,
        *,
        force: bool = False,
    ) -> list[SyncResult]:
        """Sync feeds side by side; call `on_result` as each is done; return the results in the order of the feeds.

        Raises:
            SinkholeError: what `on_result` raised first; the other feeds are left as they were.
        """

        async def sync_one(feed: Feed, state: FeedState) -> SyncResult:
            result = await self.sync(feed, state, force=force)
            on_result(result)
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(sync_one(feed, state)) for feed, state in feeds]
        except* SinkholeError as found:
            raised = found.exceptions[0]
        else:
            return [task.result() for task in tasks]
        raise raised

    async def sync(self, feed: Feed, state: FeedState, *, force: bool = False) -> SyncResult:
        """Sync one feed; never raises for what a feed does.

        Args:
            feed: which.
            state: how it stands.
            force: fetch its content even if the server would say that we have it.
        """
        started = time.monotonic()
        report = None
        is_busy = False
        try:
            with self._snapshots.draft(feed.name) as draft:
                new, report = await self._update(feed, state, draft, force)
        except BusyError as error:
            new, is_busy = replace(state, message=str(error)), True
        except (FeedError, OSError) as error:
            new = self._failed(feed, state, str(error))
        except Exception:
            _LOG.exception("feed.crashed", feed=feed.name)
            new = self._failed(feed, state, "an error of this program, which its log tells")
        result = SyncResult(feed.name, new, new.version != state.version, report, time.monotonic() - started, is_busy)
        _log(result)
        return result

    async def _update(self, feed: Feed, state: FeedState, draft: Path, force: bool) -> tuple[FeedState, Report | None]:
        manner = _manner(feed)
        good = await asyncio.to_thread(self._last_good, feed, state, manner)
        known = Validators(state.etag, state.last_modified) if good and state.sha256 == good.source else Validators()
        async with self._fetching:
            answer = await self._fetcher.fetch(feed, draft / BODY, None if force else known)
            if isinstance(answer, NotModified):
                return self._unchanged(feed, state, known), None
            source = await fetch_includes(feed, answer, self._fetcher, self._settings.max_bytes)
        if source != answer.sha256:
            # The server knows nothing of a change in what the list includes.
            answer = replace(answer, validators=Validators())
        if good and good.source == source:
            return self._unchanged(feed, state, answer.validators), None
        before = await asyncio.to_thread(self._seen_before, feed, state, source, manner)
        if before is not None:
            return before, None
        publication = await self._admit(feed, state, draft, source) if feed.key else None
        return await self._take(feed, state, draft, answer, source, manner, good, publication)

    async def _admit(self, feed: Feed, state: FeedState, draft: Path, source: str) -> int:
        """Return the number of a signed publication; raises FeedError when it may not be taken."""
        if self._signers is None or feed.key is None:
            raise FeedError("signed feeds cannot be synced here")
        signature = await fetch_signature(feed, draft, self._fetcher)
        publication = await asyncio.to_thread(self._signers.admit, draft / BODY, signature, feed.key)
        refuse_older(publication, source, feed.key, self._known(feed, state))
        return publication

    async def _take(
        self, feed: Feed, state: FeedState, draft: Path, answer: Fetched, source: str, manner: str, good: Meta | None,
        publication: int | None,
    ) -> tuple[FeedState, Report]:  # fmt: skip
        """Read, vet and keep new content; put it into force or hold it."""
        async with self._reading:
            report = await self._read(self._job(feed, state, draft, answer, good))
        counts = Count(report.rules, report.rejected)
        now = self._clock()
        meta = Meta(
            created=now.isoformat(timespec="seconds"),
            source=source,
            checksums=await asyncio.to_thread(checksums, draft),
            manner=manner,
            format=report.format,
            size=answer.size,
            rules=report.rules,
            rejected=report.rejected,
            protected=report.protected,
            etag=answer.validators.etag,
            last_modified=answer.validators.last_modified,
            held=doubts(counts, Count(good.rules, good.rejected) if good else None, self._settings),
            publication=publication,
            key=feed.key,
        )
        version = await asyncio.to_thread(self._snapshots.keep, feed.name, draft, meta)
        next_due = self._next(feed)
        if meta.held:
            new = outcome.held(state, meta, version, now, next_due)
        else:
            new = outcome.adopted(state, meta, version, now, outcome.remark(report))
            new = replace(new, fetched_at=now, next_due=next_due)
        needed = {new.version, new.pending_version or 0}
        await asyncio.to_thread(self._snapshots.prune, feed.name, self._settings.keep_versions, needed)
        return new, report

    def _job(self, feed: Feed, state: FeedState, draft: Path, answer: Fetched, good: Meta | None) -> Job:
        guard = self._signers.guard if feed.key and self._signers else self._guard
        guard = guard.with_hosts(answer.hosts)
        return Job(
            folder=str(draft),
            format=feed.format,
            match=feed.match,
            local=feed.local and not feed.key,
            max_rows=self._settings.max_rules,
            never_block=tuple(guard.never_block),
            hosts=tuple(guard.hosts),
            addresses=tuple(guard.addresses),
            previous=str(self._snapshots.path(feed.name, state.version) / RULES) if good else None,
            whole=feed.key is not None,
        )

    def _known(self, feed: Feed, state: FeedState) -> Meta | None:
        """Return what is known of the version in force, though it may be broken."""
        try:
            return self._snapshots.meta(feed.name, state.version) if state.version else None
        except FeedError:
            return None

    def _last_good(self, feed: Feed, state: FeedState, manner: str) -> Meta | None:
        """Return the version in force, if it is whole and was fetched and read as the feed is now configured."""
        if not state.version:
            return None
        try:
            meta = self._snapshots.verify(feed.name, state.version)
        except FeedError as error:
            _LOG.error("feed.snapshot_broken", feed=feed.name, version=state.version, why=error)
            return None
        return meta if meta.manner == manner else None

    def _seen_before(self, feed: Feed, state: FeedState, source: str, manner: str) -> FeedState | None:
        """Return the new state if this very content is held or was gone back from; None if it is new."""
        for version in self._snapshots.versions(feed.name):
            try:
                meta = self._snapshots.verify(feed.name, version)
            except FeedError:
                continue
            if (meta.source, meta.manner) != (source, manner):
                continue
            if self._snapshots.is_refused(feed.name, version):
                return outcome.refused(state, version, self._clock(), self._next(feed))
            if version == state.pending_version:
                return outcome.held(state, meta, version, self._clock(), self._next(feed))
        return None

    def _unchanged(self, feed: Feed, state: FeedState, validators: Validators) -> FeedState:
        return outcome.unchanged(state, validators, self._clock(), self._next(feed))

    def _failed(self, feed: Feed, state: FeedState, why: str) -> FeedState:
        return outcome.failed(state, why, self._next(feed, state.failures + 1))

    def _next(self, feed: Feed, failures: int = 0) -> datetime:
        return next_sync(feed, self._settings.interval, failures, self._clock(), self._random)


def _manner(feed: Feed) -> str:
    """Return a digest of where a feed is fetched and how it is read: with another, nothing can be compared."""
    parts = [_READING, feed.url, feed.format, feed.match, str(feed.local), *([feed.key] if feed.key else [])]
    text = "\n".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _log(result: SyncResult) -> None:
    state = result.state
    good = state.status in (FeedStatus.UPDATED, FeedStatus.UNCHANGED)
    write = _LOG.info if good else _LOG.warning
    fields: dict[str, object] = {"rules": state.rules, "rejected": state.rejected, "took_ms": int(result.took * 1000)}
    if state.message:
        fields["why"] = state.message
    write("feed.synced", feed=result.feed, status=state.status.value, version=state.version, **fields)
