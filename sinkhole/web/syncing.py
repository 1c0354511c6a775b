"""The sync that somebody started here: one at a time, in a thread of its own, told to whoever listens."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum

from sinkhole.app.apply import apply
from sinkhole.app.state import open_state
from sinkhole.app.sync_now import sync_now
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError
from sinkhole.feeds.sync import SyncResult
from sinkhole.log import Log
from sinkhole.store.audit import acting_from
from sinkhole.web.live import Event, Live, Topic
from sinkhole.web.model import Model
from sinkhole.web.problem import RequestError


class Outcome(StrEnum):
    """How a sync stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class FeedResult(Model):
    """How the sync of one feed went."""

    feed: str
    status: str
    rules: int
    took_ms: int
    message: str | None


class SyncJob(Model):
    """A sync that was started here.

    `feeds` are those that it syncs, `results` those of them that have ended.
    """

    outcome: Outcome
    who: str
    started: datetime
    ended: datetime | None
    feeds: list[str]
    results: list[FeedResult]
    why: str | None


class Syncing:
    """Start syncs.

    Args:
        settings: of what installation.
        live: is told how it goes.
    """

    def __init__(self, settings: Settings, live: Live) -> None:
        self._settings = settings
        self._live = live
        self._thread = ThreadPoolExecutor(1, "web-sync")
        self._task: asyncio.Future[None] | None = None
        self.last: SyncJob | None = None
        """The last one, or that under way; None: none yet."""
        self._log = Log("admin")

    def start(self, who: str, origin: str, feeds: Sequence[str], names: tuple[str, ...], *, force: bool) -> SyncJob:
        """Start one.

        Args:
            feeds: what it syncs; `names` what was asked for, none for all that are enabled.

        Raises:
            RequestError: 409, one is under way.
        """
        if self.last is not None and self.last.outcome is Outcome.RUNNING:
            raise RequestError(409, "a sync is under way; wait until it has ended")
        now = datetime.now(UTC)
        job = SyncJob(
            outcome=Outcome.RUNNING, who=who, started=now, ended=None, feeds=list(feeds), results=[], why=None
        )
        self._show(job)
        loop = asyncio.get_running_loop()

        def note(result: SyncResult) -> None:
            loop.call_soon_threadsafe(self._note, result)

        def run() -> None:
            state = open_state(self._settings, who)
            try:
                with acting_from(origin):
                    if asyncio.run(sync_now(state, names, note, force=force)):
                        apply(state)  # unchanged ones too: the server may have fetched them a moment ago
            finally:
                state.close()

        self._task = loop.run_in_executor(self._thread, run)
        self._task.add_done_callback(self._end)
        return job

    def _note(self, result: SyncResult) -> None:
        if self.last is None or result.is_busy:
            return
        told = FeedResult(
            feed=result.feed, status=result.state.status.value, rules=result.state.rules,
            took_ms=int(result.took * 1000), message=result.state.message,
        )  # fmt: skip
        self._show(self.last.model_copy(update={"results": [*self.last.results, told]}))

    def _end(self, task: "asyncio.Future[None]") -> None:
        if task.cancelled() or self.last is None:
            return
        error = task.exception()
        if error is not None and not isinstance(error, SinkholeError):
            self._log.error("admin.sync_failed", why=repr(error))
        outcome = Outcome.DONE if error is None else Outcome.FAILED
        why = None if error is None else str(error) if isinstance(error, SinkholeError) else "the log has it"
        self._show(self.last.model_copy(update={"outcome": outcome, "ended": datetime.now(UTC), "why": why}))

    def _show(self, job: SyncJob) -> None:
        self.last = job
        self._live.tell(Topic.SYNC, [Event("sync", job.model_dump_json())])

    def close(self) -> None:
        """Start no more; one under way ends with the process."""
        self._thread.shutdown(wait=False, cancel_futures=True)
