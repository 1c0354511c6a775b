"""When waits are over: one timer for all that wait, since nearly all end well before, and timers of their own cost."""

import asyncio
from typing import Final

from sinkhole.log import Log
from sinkhole.upstream.vigil import Vigil
from sinkhole.upstream.wait import NEVER, Wait

_log = Log("upstream")
_AGAIN: Final = 0.1
"""Seconds after which one that failed is told again."""
_PAUSE: Final = 0.02
PAUSE_FOR_EACH: Final = 0.00002
"""Seconds between two looks, and more of them for each that waits: where nobody answers all wait to the end, and to
look at all of them at each end would cost a core."""
_TICK: Final = 0.001
"""Seconds by which event loops may wake up early: that of libuv counts in milliseconds."""


class Deadlines:
    """Tells those who wait on the event loop that is running.

    The timer stays when a wait ends early, so it is set once in the time that waits take, however many there are. It is
    not held here, since it holds the loop, whose end is the end of this.
    """

    __slots__ = ("_armed", "_waits", "vigil")

    def __init__(self) -> None:
        self._waits: dict[Wait, None] = {}
        self.vigil = Vigil(self._waits)
        self._armed = NEVER

    def watch(self, wait: Wait, end: float) -> None:
        """Have it told at `end`, in loop time, or up to 20 ms later, 100 where thousands wait.

        It may be watched already.
        """
        self._waits[wait] = None
        if end < self._armed:
            self._arm(end)

    def is_watched(self, wait: Wait) -> bool:
        """Whether it is to be told."""
        return wait in self._waits

    def is_alone(self, wait: Wait) -> bool:
        """Whether it is to be told, and nobody else."""
        return len(self._waits) == 1 and wait in self._waits

    def forget(self, wait: Wait) -> None:
        """Tell it nothing more."""
        if wait in self._waits:
            del self._waits[wait]

    def _arm(self, end: float) -> None:
        self._armed = end
        asyncio.get_running_loop().call_at(end, self._look, end)

    def _look(self, end: float) -> None:
        if end != self._armed:  # a sooner one was set after this
            return
        self._armed = NEVER
        now, soonest = asyncio.get_running_loop().time() + _TICK, NEVER
        for wait in list(self._waits):
            try:
                soonest = min(soonest, wait.expire(now))
            except Exception:  # the edge of a wait: the others have nothing to do with it, and it may have more to end
                _log.exception("wait.failed")
                soonest = min(soonest, now + _AGAIN)
        if soonest < self._armed:  # else one that began meanwhile ends sooner
            self._arm(max(soonest, now + _PAUSE + len(self._waits) * PAUSE_FOR_EACH))
