"""What the packet cache has served and nobody has counted yet: at once, or gathered so that equal hits count as one."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from sinkhole.policy.verdict import NO_MATCH
from sinkhole.resolver.hits import Hits
from sinkhole.transport.entry import Entry
from sinkhole.transport.gate import ClientState

_FEW: Final = 8
"""Replies that are counted at once: they are still in the processor's caches, and later they would not be.

More at a time are a flood, of which many are the same.
"""
_DELAY: Final = 0.1
"""Seconds that more served replies wait to be counted."""
_MAX_PENDING: Final = 20_000
_AT_ONCE: Final = 32
"""Different replies that are counted in one turn of the event loop, 0.1 ms: queries come in between."""


class Served:
    """Counts served replies in `hits`.

    The fast path only appends: a reply to `ClientState.served`, and a client with its first one to `touched`. The
    first that `add` notes is held beside: mostly it is the only one, and to fill and empty lists each time takes longer
    than to count it.

    Args:
        hits: where they are counted.
        wall: seconds since the epoch.

    `total` is how many were counted since the start, `made` how many replies made of pieces were given beside.
    """

    def __init__(self, hits: Hits, wall: Callable[[], float]) -> None:
        self._hits = hits
        self._wall = wall
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None
        self._gathered: deque[tuple[ClientState, Entry, int, int]] = deque()
        self._only: tuple[Entry, ClientState] | None = None
        self.touched: list[ClientState] = []
        self.pending = 0
        self.total = 0
        self.made = 0

    def add(self, entry: Entry, state: ClientState) -> None:
        """Note one served reply."""
        self.pending += 1
        if self.pending == 1:
            self._only = entry, state
        else:
            self._append(entry, state)

    def _append(self, entry: Entry, state: ClientState) -> None:
        if not state.served:
            self.touched.append(state)
        state.served.append(entry)

    def settle(self) -> None:
        """See to it that what is pending is counted soon; to be called after each batch of queries."""
        if not self.pending or (self._timer is not None and self.pending < _MAX_PENDING):
            return
        if self.pending <= _FEW:
            self._count_few()
        elif self.pending >= _MAX_PENDING:
            self.flush()
        else:
            self._timer = asyncio.get_running_loop().call_later(_DELAY, self._begin)

    def flush(self) -> None:
        """Count all now."""
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None
        self._gather()
        self._count(len(self._gathered))

    def _count_few(self) -> None:
        second: int | None = None
        only, self._only = self._only, None
        if only is not None:
            entry, state = only
            state.queries += 1
            if entry.is_recorded:
                second = int(self._wall())
                self._count_one(state, entry, second, 1)
        for state in self.touched:
            served = state.served
            state.queries += len(served)
            while served:
                entry = served.pop()
                if entry.is_recorded:
                    if second is None:
                        second = int(self._wall())
                    self._count_one(state, entry, second, 1)
        self._take_over()

    def _begin(self) -> None:
        """Count, a few in each turn; a turn that is due already goes on with these, too."""
        self._timer = None
        self._gather()
        if self._turn is None:
            self._go_on()

    def _go_on(self) -> None:
        self._count(_AT_ONCE)
        self._turn = asyncio.get_running_loop().call_soon(self._go_on) if self._gathered else None

    def _gather(self) -> None:
        """Take equal replies to a client together."""
        second = int(self._wall())
        only, self._only = self._only, None
        if only is not None:
            self._append(*only)
        for state in self.touched:
            state.queries += len(state.served)
            self._gathered.extend(
                (state, entry, times, second) for entry, times in Counter(state.served).items() if entry.is_recorded
            )
            state.served.clear()
        self._take_over()

    def _take_over(self) -> None:
        self.touched.clear()
        self.total += self.pending
        self.pending = 0

    def _count(self, most: int) -> None:
        gathered = self._gathered
        for _ in range(min(most, len(gathered))):
            state, entry, times, second = gathered.popleft()
            self._count_one(state, entry, second, times)

    def _count_one(self, state: ClientState, entry: Entry, second: int, times: int) -> None:
        verdict = entry.verdict or NO_MATCH
        self._hits.add(state.client.address, entry.name, entry.qtype, verdict, second, times)
