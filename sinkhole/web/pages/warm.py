"""Count for the pages that are opened first before anybody opens them: with millions of hits it takes a moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.evidence.trend import DAY
from sinkhole.store.summing import GRACE
from sinkhole.web.context import CONTEXT, Context
from sinkhole.web.pages.clients import BYPASS_DAYS
from sinkhole.web.pages.overview import figures_of
from sinkhole.web.pages.reports import ReportAsked, evidence_of
from sinkhole.web.pages.span import DEFAULT, HOUR, times_of

AFTER_START = 2.0
"""Seconds: whoever starts has other things to do first."""
_AFTER_HOUR = GRACE + 60.0
"""Seconds into an hour by which the one before is counted."""


def warm(state: State) -> None:
    """Count what the overview, the clients and the report of the last 30 days tell; all of it is kept."""
    times = times_of(DEFAULT)
    figures_of(state, state.catalogue().catalogue, times, DEFAULT)
    bypass_report(state, times.until - BYPASS_DAYS * DAY)
    evidence_of(state, ReportAsked())


async def kept_warm(site: web.Application) -> AsyncIterator[None]:
    """Count soon after the start, and once in each hour when that before it is counted."""
    task = asyncio.create_task(_go_on(site[CONTEXT]))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _go_on(context: Context) -> None:
    await asyncio.sleep(AFTER_START)
    while True:
        with suppress(SinkholeError):  # whoever opens the page is told
            await context.work.readers.do(warm)
        await asyncio.sleep(HOUR - (time.time() - _AFTER_HOUR) % HOUR)
