"""Send the report by mail, once for each day or week that is over, also when the server was off at that moment."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sinkhole.app.report_text import report_text
from sinkhole.app.state import State
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError, StoreError
from sinkhole.log import Log
from sinkhole.out.mail import send_mail
from sinkhole.store.alert_store import AlertStore

LOOK_INTERVAL = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0
_KIND = "report"


class ReportMail:
    """Sends it.

    Args:
        settings: how often, to whom.
        keeper: opens the store.
        wall: epoch seconds.
    """

    def __init__(self, settings: Settings, keeper: StoreKeeper, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._report = settings.report_mail
        self._keeper = keeper
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
                self._log.warning("report.not_sent", why=error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, 2 * pause)

    async def send_if_due(self) -> bool:
        """Send the report of the last span that is over, if it was not sent; return whether it was sent now.

        Raises:
            SinkholeError: it cannot be made or sent.
        """
        since, until = span_before(datetime.fromtimestamp(self._wall()).astimezone(), self._report.every)
        every = self._report.every
        last = await self._keeper.do(lambda state: AlertStore(state.store).remembered(_KIND).get(every))
        begun = int(until.timestamp())
        if last is None:  # just configured: the first is of the span that is not over yet
            await self._remember(begun)
            return False
        is_early = self._wall() < (until + timedelta(hours=self._report.hour)).timestamp()
        if begun <= last or is_early:
            return False
        state = await self._keeper.do(lambda state: state)
        # Not on the recorder's thread: it may read millions of hits.
        text = await asyncio.to_thread(report_text, state, int(since.timestamp()), begun)
        subject = f"Sinkhole: who tried which AI vendor, {since:%Y-%m-%d} to {until - timedelta(days=1):%Y-%m-%d}"
        await send_mail(self._settings.mail, self._report.to, subject, text)
        await self._remember(begun)
        self._log.info("report.sent", to=len(self._report.to))
        return True

    async def _remember(self, begun: int) -> None:
        def work(state: State) -> None:
            AlertStore(state.store).remember(_KIND, {self._report.every: begun})

        await self._keeper.do(work)


def span_before(now: datetime, every: str) -> tuple[datetime, datetime]:
    """Return the last day or week (from Monday) that is over, in local time; a day may have 23 or 25 hours."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    until = midnight if every == "day" else midnight - timedelta(days=midnight.weekday())
    since = until - timedelta(days=1 if every == "day" else 7)
    return since.astimezone(), until.astimezone()
