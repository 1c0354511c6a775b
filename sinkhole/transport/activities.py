"""Count who asks, in memory and bounded, and note who is new; the worker hands both over to the control process.

The fast path adds one to a number of the client's state; here those numbers are gathered now and then, and when a state
is given up.
"""

import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol

from sinkhole.policy.activity import Activity
from sinkhole.resolver.query import Client

MAX_ROWS = 20_000
"""Clients counted between two batches, about 5 MB; a flood of forged addresses has no more."""
MAX_NEW = 5_000
GATHER_EVERY = 5.0
_HOUR = 3600


class Counted(Protocol):
    """What is known of a client, with the number of its queries that were not gathered yet."""

    client: Client
    queries: int


class _Tally:
    """How often, from when to when; the groups of the last time."""

    __slots__ = ("first", "groups", "last", "queries")

    def __init__(self, second: int) -> None:
        self.queries = 0
        self.first = self.last = second
        self.groups: tuple[str, ...] = ()


class Activities:
    """Gathers counts.

    Args:
        wall, clock: seconds since the epoch, and monotonic seconds.
        max_rows: clients counted between two batches.

    `total` is how many queries were gathered since the start, also those of clients for whom there was no room.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self._wall = wall
        self._clock = clock
        self._max_rows = max_rows
        self._tallies: dict[tuple[str, int], _Tally] = {}
        self._new: dict[str, None] = {}
        self._gathered = clock()
        self.total = 0

    def gather(self, states: Iterable[Counted]) -> None:
        """Take the counts of some clients, which begin again at 0."""
        second = int(self._wall())
        for state in states:
            if state.queries:
                self._add(state, second)
                self.total += state.queries
                state.queries = 0

    def _add(self, state: Counted, second: int) -> None:
        key = (state.client.address, second // _HOUR)
        tally = self._tallies.get(key)
        if tally is None:
            if len(self._tallies) >= self._max_rows:
                return
            tally = self._tallies[key] = _Tally(second)
        tally.queries += state.queries
        # A clock that is set back within the hour must not leave a row that ends before it begins.
        tally.first, tally.last = min(tally.first, second), max(tally.last, second)
        tally.groups = state.client.scope.groups

    def begin_round(self) -> bool:
        """Return whether it is time to look through all clients again, and let the time begin anew if so."""
        if self._clock() - self._gathered < GATHER_EVERY:
            return False
        self._gathered = self._clock()
        return True

    def drain(self, limit: int) -> list[Activity]:
        """Take out and return at most `limit` rows, the oldest first."""
        keys = list(islice(self._tallies, limit))
        taken = [(client, self._tallies.pop((client, hour))) for client, hour in keys]
        return [Activity(client, t.first, t.last, t.queries, t.groups) for client, t in taken]

    def note_new(self, address: str) -> None:
        """Note an address about which nothing is known, so that it is looked into."""
        if len(self._new) < MAX_NEW:
            self._new[address] = None

    def take_new(self, limit: int) -> list[str]:
        """Take out and return at most `limit` addresses that are new."""
        taken = list(islice(self._new, limit))
        for address in taken:
            del self._new[address]
        return taken
