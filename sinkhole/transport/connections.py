"""The open connections of a worker: how many, of whom, and which has been idle longest."""

import asyncio
import resource
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from sinkhole.config.schema import TransportSettings
from sinkhole.transport.connection import Connection

_SWEEPS = 4
"""How often within the idle time-out it is looked at."""


class Connections:
    """Keeps connections within bounds of number and idleness.

    Where a bound is reached the connection that is idle longest makes room, the client's own if it is the client's
    bound; one with queries in hand never does. So a crowd of silent connections keeps nobody out.

    Args:
        max_total: open connections.
        max_per_client: open connections of one address, or of one /64.
        idle_timeout: seconds without a message, in or out, until a connection is closed; octets that do not
            complete a message do not count.
        clock: monotonic seconds.
    """

    def __init__(self, max_total: int, max_per_client: int, idle_timeout: float, clock: Callable[[], float]) -> None:
        self._max_total = max_total
        self._max_per_client = max_per_client
        self._idle_timeout = idle_timeout
        self._clock = clock
        self._idlest_first: OrderedDict[Connection, None] = OrderedDict()
        self._per_client: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    @classmethod
    def from_settings(cls, settings: TransportSettings, clock: Callable[[], float] = time.monotonic) -> "Connections":
        """Return the bounds of a worker; half of its descriptors stay for the upstreams, whatever the settings say."""
        most = min(settings.tcp_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        return cls(most, settings.tcp_connections_per_client, settings.tcp_idle_timeout, clock)

    def __len__(self) -> int:
        return len(self._idlest_first)

    def make_room(self, network: str) -> bool:
        """Return whether one more connection of a client may be opened, after closing an idle one if need be."""
        if self._per_client[network] >= self._max_per_client:
            return self.shed(1, network) > 0
        if len(self._idlest_first) >= self._max_total:
            return self.shed(1) > 0
        return True

    def add(self, connection: Connection) -> None:
        """Take in a new connection."""
        connection.last_active = self._clock()
        self._idlest_first[connection] = None
        self._per_client[connection.network] += 1
        self._empty.clear()
        if self._timer is None:
            self._schedule()

    def touched(self, connection: Connection) -> None:
        """Note that a message of an open connection came in or a reply went out."""
        connection.last_active = self._clock()
        self._idlest_first.move_to_end(connection)

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is no more."""
        if connection not in self._idlest_first:
            return
        del self._idlest_first[connection]
        self._per_client[connection.network] -= 1
        if not self._per_client[connection.network]:
            del self._per_client[connection.network]
        if not self._idlest_first:
            self._empty.set()

    def shed(self, count: int, network: str | None = None) -> int:
        """Close up to `count` connections that wait for nothing, the idlest first; return how many there were."""
        idle = (c for c in self._idlest_first if not c.is_busy and network in (None, c.network))
        chosen = [connection for connection, _ in zip(idle, range(count), strict=False)]
        for connection in chosen:
            self._drop(connection)
        return len(chosen)

    async def finish(self, timeout: float) -> None:
        """Let all answer what they have in hand, at most `timeout` seconds, and close them."""
        for connection in list(self._idlest_first):
            connection.finish()
        try:
            await asyncio.wait_for(self._empty.wait(), timeout)
        except TimeoutError:
            for connection in list(self._idlest_first):
                self._drop(connection)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        delay = min(1.0, self._idle_timeout / _SWEEPS)
        self._timer = asyncio.get_running_loop().call_later(delay, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long. One timer for all: one per connection and message would cost more."""
        self._timer = None
        oldest = self._clock() - self._idle_timeout
        for connection in list(self._idlest_first):
            if connection.last_active > oldest:
                break
            if not connection.is_busy:
                self._drop(connection)
        if self._idlest_first:
            self._schedule()

    def _drop(self, connection: Connection) -> None:
        self.lost(connection)  # now, not when the system says so: the next one already wants its place
        connection.abort()
