"""Notice an event loop that stands still: write a beat each second, and print the stack if the beat stops."""

import asyncio
import faulthandler
import os
from contextlib import suppress

from sinkhole.app.child import BEAT, READY

BEAT_INTERVAL = 1.0
STALLED_AFTER = 5.0
"""Seconds without a turn of the event loop after which all stacks go to standard error; the supervisor kills later."""


async def beat(status: int, stalled_after: float = STALLED_AFTER) -> None:
    """Tell the supervisor, through the pipe `status`, that this process is ready, and from then on that it lives."""
    _write(status, READY)
    try:
        while True:
            _write(status, BEAT)
            faulthandler.dump_traceback_later(stalled_after)
            await asyncio.sleep(BEAT_INTERVAL)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _write(fd: int, data: bytes) -> None:
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(fd, data)


async def until_orphaned(lifeline: int) -> None:
    """Return when the supervisor is gone: it alone holds the other end of the pipe `lifeline`."""
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(lifeline, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(lifeline)
