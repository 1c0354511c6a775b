"""What the packet cache has served and nobody has counted yet: gathered, so that equal hits are counted as one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from sinkhole.resolver.hits import Hits
from sinkhole.transport.gate import ClientState
from sinkhole.transport.packet_cache import Entry

_DELAY = 0.1
"""Seconds that served replies wait to be counted."""
_MAX_PENDING = 20_000


class Served:
    """Counts served replies in `hits`.

    The fast path only appends: a reply to `ClientState.served`, and a client with its first one to `touched`.

    Args:
        hits: where they are counted.
        wall: seconds since the epoch.

    `total` is how many were counted since the start, `made` how many replies made of pieces were given beside.
    """

    def __init__(self, hits: Hits, wall: Callable[[], float]) -> None:
        self._hits = hits
        self._wall = wall
        self._timer: asyncio.TimerHandle | None = None
        self.touched: list[ClientState] = []
        self.pending = 0
        self.total = 0
        self.made = 0

    def add(self, entry: Entry, state: ClientState) -> None:
        """Note one served reply."""
        if not state.served:
            self.touched.append(state)
        state.served.append(entry)
        self.pending += 1

    def settle(self) -> None:
        """See to it that what is pending is counted soon; to be called after each batch of queries."""
        if self.pending >= _MAX_PENDING:
            self.flush()
        elif self.pending and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY, self.flush)

    def flush(self) -> None:
        """Count now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        when = datetime.fromtimestamp(self._wall(), UTC)
        for state in self.touched:
            state.queries += len(state.served)
            for entry, times in Counter(state.served).items():
                if entry.is_recorded:
                    self._hits.count(state.client.address, entry.name, entry.qtype, entry.verdict, when, times)
            state.served.clear()
        self.touched.clear()
        self.total += self.pending
        self.pending = 0
