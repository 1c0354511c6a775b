"""Keep the collector of cyclic garbage from stopping the answers.

A worker holds hundreds of thousands of small objects in its caches, which are freed by their count of references. The
collector would walk them all, 75 ms at a time and once a second under load (measured at 22,000 queries/s with 20,000
answers kept), to find the few cycles that tasks leave behind. So it looks at young objects as ever, and at all of them
only now and then.
"""

import asyncio
import gc
from typing import Final

_YOUNG: Final = 5_000
"""Objects made more than freed before the young are looked at: 1.5 ms or less."""
_MIDDLE: Final = 100
"""Such looks before what survived them is looked at once more. What answers leave in caches survives, so that takes
longer than it frees: every tenth time, it was half of what the collector cost a miss."""
_NEVER: Final = 1_000_000_000
COLLECT_EVERY: Final = 600.0
"""Seconds between looks at everything."""


def set_aside() -> None:
    """Let the collector never look at what is there now again.

    It writes into each object that it looks at. So what a parent sets aside before it forks stays memory that its
    children share.
    """
    gc.collect()
    gc.freeze()


def calm_collector() -> None:
    """Set aside what is there, and look at what comes rarely; to be called before serving."""
    set_aside()
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)


async def collect_now_and_then(every: float = COLLECT_EVERY) -> None:
    """Look at everything after each `every` seconds, until cancelled: no cycle stays for ever."""
    while True:
        await asyncio.sleep(every)
        gc.collect()
