"""Stays awake for answers that are about to come.

A process that sleeps is woken after the answer is there, and finds what it works on no longer in the processor's
caches: of a miss that an upstream on the same machine or wire answers within 0.1 ms, that is a tenth. So the event loop
goes round for a moment after queries have left, and looks for the answer each time. Where that was in vain, as with all
upstreams farther away, it is left out for the next queries, for more of them each time; and it never takes more than a
twentieth of a core.

While it lasts, what another answer leaves to do waits: to close its socket and to open the next takes as long as a near
upstream does.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from sinkhole.upstream.turn import TURN, Unfinished
from sinkhole.upstream.wait import Wait

_LONGEST: Final = 0.0002
"""Seconds for which the event loop goes round for a query."""
_TOGETHER: Final = 0.001
"""Seconds for queries that come meanwhile, too."""
_SHARE: Final = 0.05
"""Of a core."""
_CREDIT: Final = 0.01
"""Seconds that may be saved up."""
_MOST_LEFT_OUT: Final = 1024
"""Queries after one in vain: twice as many each time, half as many after one that was not."""


class Vigil:
    """Keeps one event loop from sleeping.

    Args:
        waits: who waits for answers.
        clock: monotonic seconds.

    Attributes:
        awaited: for whose answer it stays awake.
    """

    __slots__ = (
        "_after", "_began", "_clock", "_credit", "_end", "_ended", "_is_on", "_leave_out", "_left_out", "_waits",
        "awaited",
    )  # fmt: skip

    def __init__(self, waits: dict[Wait, None], clock: Callable[[], float] = time.monotonic) -> None:
        self._waits = waits
        self._clock = clock
        self._is_on = False
        self._began = self._end = 0.0
        self._ended = clock()
        self._credit = _CREDIT
        self._left_out = 0
        self._leave_out = 1
        self._after: list[Unfinished] = []
        self.awaited: Wait | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, wait: Wait) -> None:
        """Stay awake until somebody waits no more."""
        if self._left_out:
            self._left_out -= 1
            return
        now = self._clock()
        if self._is_on:
            self._end = min(now + _LONGEST, self._began + _TOGETHER)
        elif self._credit + (now - self._ended) * _SHARE > 0:
            self._is_on = True
            self._began = now
            self._end = now + _LONGEST
            loop.call_soon(self._look, loop)
        else:
            return
        self.awaited = wait

    def after(self, unfinished: Unfinished) -> None:
        """Have something finished at the end of the turn or, if an answer is awaited, of the vigil."""
        if self.awaited is not None and self.awaited in self._waits:
            self._after.append(unfinished)
        else:
            TURN.behind(unfinished)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock()
        awaited = self.awaited
        is_over = awaited not in self._waits
        if awaited is not None and not is_over and now < self._end:
            loop.call_soon(self._look, loop)
            TURN.run(awaited.receive)
            return
        self._is_on = False
        self.awaited = None
        self._credit = min(_CREDIT, self._credit + (now - self._ended) * _SHARE) - (now - self._began)
        self._ended = now
        if is_over:
            self._leave_out = max(1, self._leave_out // 2)
        else:
            self._left_out = self._leave_out
            self._leave_out = min(_MOST_LEFT_OUT, self._leave_out * 2)
        if self._after:
            TURN.run(self._finish)

    def _finish(self) -> None:
        after, self._after = self._after, []
        for unfinished in after:
            TURN.behind(unfinished)
