"""Bring what is recorded to the receivers of the settings: a task for each, beside the recorder and never in its way.

It runs in the control process, which alone writes the store: a receiver that is slow, away or hostile keeps its own
task waiting and nobody else, and a crash of it is logged and tried again.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from sinkhole.app.alert_watch import AlertWatch
from sinkhole.app.out_senders import client_text_of, dead_letters_of, open_senders
from sinkhole.app.out_streams import StoredStream, events_of
from sinkhole.app.report_hook import HookCourier
from sinkhole.app.report_mail import MailCourier
from sinkhole.app.scheduled_report import ScheduledReport
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import Settings
from sinkhole.errors import OutError, StoreError
from sinkhole.log import Log
from sinkhole.out.delivery import Delivery
from sinkhole.out.sender import Sender
from sinkhole.out.webhook import Webhook

SEAL_EVERY = 60.0
SEAL_AFTER = 1.0
"""Seconds: hits leave when their minute is over, and what workers send late of it has come."""
_START_AGAIN = 60.0


class Out:
    """All receivers.

    Args:
        settings: which.
        keeper: opens the store.
        seal_every: seconds between moments at which hits leave.
    """

    def __init__(self, settings: Settings, keeper: StoreKeeper, seal_every: float = SEAL_EVERY) -> None:
        self._settings = settings
        self._keeper = keeper
        self._seal_every = seal_every
        self._sealed = 0
        self._log = Log("out")

    async def run(self) -> None:
        """Go on until cancelled."""
        await self._keeper.until_open()
        async with open_senders(self._settings) as make, asyncio.TaskGroup() as tasks:
            if any("hits" in out.what for out in self._settings.out):
                tasks.create_task(self._seal())
            for out in self._settings.out:
                tasks.create_task(self._serve(out, make))
            if takes_alerts(self._settings):
                tasks.create_task(AlertWatch(self._settings, self._keeper).run())
            report = self._settings.report_mail
            if report.every != "never" and report.to:
                courier = MailCourier(self._settings.mail, report.to, report.every, self._keeper)
                tasks.create_task(ScheduledReport(report, self._keeper, courier).run())

    async def _seal(self) -> None:
        while True:
            with suppress(StoreError):  # its keeper says so
                self._sealed = await self._keeper.seal()
            await asyncio.sleep(self._seal_every - (time.time() - SEAL_AFTER) % self._seal_every)

    async def _serve(self, out: OutSettings, make: Callable[[OutSettings], Sender]) -> None:
        """Make what a receiver needs, as soon as that can be made, and send to it."""
        while True:
            try:
                sender, client_text = make(out), client_text_of(out, self._settings)
                break
            except OutError as error:
                self._log.error("out.not_started", receiver=out.name, why=error)
                await asyncio.sleep(_START_AGAIN)
        lock, dead = asyncio.Lock(), dead_letters_of(out, self._settings.server.data_dir)
        try:
            async with asyncio.TaskGroup() as tasks:
                report = self._settings.report_mail
                if "reports" in out.what and report.every != "never" and isinstance(sender, Webhook):
                    courier = HookCourier(out.name, sender, lock, self._keeper)
                    tasks.create_task(ScheduledReport(report, self._keeper, courier).run())
                for what in events_of(out):
                    stream = StoredStream(self._keeper, out, what, lambda: self._sealed, client_text)
                    delivery = Delivery(out.name, stream, sender, lock, dead=dead, give_up=out.give_up)
                    tasks.create_task(delivery.run())
        finally:
            await sender.close()


def takes_alerts(settings: Settings) -> bool:
    """Return whether alerts are looked for."""
    return settings.alerts.watch or any("alerts" in out.what for out in settings.out)
