"""Stays awake for answers that are about to come.

A process that sleeps is woken after the answer is there, and finds what it works on no longer in the processor's
caches: of a miss that an upstream on the same machine or wire answers within 0.1 ms, that is a tenth. So the event loop
goes round for a moment after queries have left. Where that was in vain, as with all upstreams farther away, it is not
tried again for a while.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

_LONGEST: Final = 0.0002
"""Seconds for which the event loop goes round."""
_SHORT_PAUSE: Final = 0.01
_LONG_PAUSE: Final = 60.0
"""Seconds after one in vain: doubled with each, halved with each that was not."""


class Vigil:
    """Keeps one event loop from sleeping.

    Args:
        waits: who waits for answers.
        clock: monotonic seconds.
    """

    __slots__ = ("_clock", "_end", "_is_on", "_not_before", "_pause", "_wait", "_waits")

    def __init__(self, waits: dict[Any, None], clock: Callable[[], float] = time.monotonic) -> None:
        self._waits = waits
        self._clock = clock
        self._is_on = False
        self._end = 0.0
        self._not_before = 0.0
        self._pause = _SHORT_PAUSE
        self._wait: object = None

    def begin(self, loop: asyncio.AbstractEventLoop, wait: object) -> None:
        """Stay awake until somebody waits no more."""
        now = self._clock()
        if now < self._not_before:
            return
        self._end = now + _LONGEST
        self._wait = wait
        if not self._is_on:
            self._is_on = True
            loop.call_soon(self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._wait not in self._waits:
            self._is_on = False
            self._wait = None
            self._pause = max(_SHORT_PAUSE, self._pause / 2)
            return
        now = self._clock()
        if now < self._end:
            loop.call_soon(self._look, loop)
            return
        self._is_on = False
        self._wait = None
        self._pause = min(_LONG_PAUSE, self._pause * 2)
        self._not_before = now + self._pause
