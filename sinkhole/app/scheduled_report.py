"""Bring the report of each day or week that is over to somebody, once, also when the server was off at that moment."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sinkhole.app.hit_evidence import Wanted, hit_evidence
from sinkhole.app.report_text import report_text
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import ReportMailSettings
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.evidence.model import Evidence
from sinkhole.log import Log

LOOK_INTERVAL = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a span of time: as plain text, and as values."""

    since: datetime
    until: datetime
    every: str
    text: str
    evidence: Evidence

    @property
    def title(self) -> str:
        """What it is called, with its first and last day."""
        return f"who tried which AI vendor, {self.since:%Y-%m-%d} to {self.until - timedelta(days=1):%Y-%m-%d}"


class Courier(Protocol):
    """A way to somebody, and how far they have come: the end of the last span that they have, in epoch seconds."""

    @property
    def name(self) -> str:
        """Who it is, for the log."""

    async def last(self) -> int | None:
        """Return how far they have come, None for not at all."""

    async def remember(self, until: int, *, is_sent: bool) -> None:
        """Note how far they have come; `is_sent` False: from where on they are sent reports."""

    async def note_failure(self, why: str) -> None:
        """Note why a report could not be brought."""

    async def bring(self, report: Report) -> None:
        """Bring a report; raises OutError."""


class ScheduledReport:
    """Makes and sends it.

    Args:
        settings: how often, and from which hour on.
        keeper: opens the store.
        courier: to whom.
        wall: epoch seconds.
    """

    def __init__(
        self,
        settings: ReportMailSettings,
        keeper: StoreKeeper,
        courier: Courier,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._keeper = keeper
        self._courier = courier
        self._wall = wall
        self._log = Log("report")

    async def run(self) -> None:
        """Go on until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.send_if_due()
                pause = _FIRST_PAUSE
                await asyncio.sleep(LOOK_INTERVAL)
            except StoreError:
                await asyncio.sleep(LOOK_INTERVAL)  # its keeper says so
            except SinkholeError as error:
                self._log.warning("report.not_sent", to=self._courier.name, why=error)
                await self._courier.note_failure(str(error))
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)

    async def send_if_due(self) -> bool:
        """Send the report of the last span that is over, if it was not sent; return whether it was sent now.

        Raises:
            SinkholeError: it cannot be made or sent.
        """
        every = self._settings.every
        since, until = span_before(datetime.fromtimestamp(self._wall()).astimezone(), every)
        last = await self._courier.last()
        begun = int(until.timestamp())
        if last is None:  # just configured: the first is of the span that is not over yet
            await self._courier.remember(begun, is_sent=False)
            return False
        is_early = self._wall() < (until + timedelta(hours=self._settings.hour)).timestamp()
        if begun <= last or is_early:
            return False
        state = await self._keeper.do(lambda state: state)
        # Not on the recorder's thread: it may read millions of hits.
        report = await asyncio.to_thread(make_report, state, since, until, every, self._wall())
        await self._courier.bring(report)
        await self._courier.remember(begun, is_sent=True)
        self._log.info("report.sent", to=self._courier.name)
        return True


def make_report(state: State, since: datetime, until: datetime, every: str, made: float) -> Report:
    """Return the report of a span; where the store is on this machine is nobody's business elsewhere.

    Raises:
        StoreError, CatalogueError: it cannot be made.
    """
    start, end = int(since.timestamp()), int(until.timestamp())
    evidence = replace(hit_evidence(state, Wanted(start, end), made), sources=())
    return Report(since, until, every, report_text(state, start, end), evidence)


def span_before(now: datetime, every: str) -> tuple[datetime, datetime]:
    """Return the last day or week (from Monday) that is over, in local time; a day may have 23 or 25 hours."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    until = midnight if every == "day" else midnight - timedelta(days=midnight.weekday())
    since = until - timedelta(days=1 if every == "day" else 7)
    return since.astimezone(), until.astimezone()
