"""How many queries may wait for upstreams at the same time, so that slow names cannot use up everything (R-P03)."""

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sinkhole.config.schema import UpstreamSettings
from sinkhole.protocol.names import labels_of
from sinkhole.upstream.failure import UpstreamBusy

_Key = TypeVar("_Key")

_SPARE_DESCRIPTORS = 256
"""Left to listeners, clients on TCP and files; each waiting query holds one socket, or two when it races."""


class InFlight:
    """Count the queries that wait: all, those of a client, those for a registered domain (its last two labels)."""

    def __init__(self, settings: UpstreamSettings, descriptors: int | None = None) -> None:
        if descriptors is None:
            descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        sockets = 2 if settings.strategy == "race" else 1
        fitting = max(10, (descriptors - _SPARE_DESCRIPTORS) // sockets) if descriptors > 0 else settings.max_in_flight
        self._most = min(settings.max_in_flight, fitting)
        self._most_of_client = settings.max_in_flight_per_client
        self._most_of_zone = settings.max_in_flight_per_zone
        self._clients: Counter[str] = Counter()
        self._zones: Counter[tuple[bytes, ...]] = Counter()
        self.waiting = 0

    @contextmanager
    def enter(self, client: str, key: bytes) -> Iterator[None]:
        """Count one query while it waits.

        Args:
            client: address of the client.
            key: the name asked, folded.

        Raises:
            UpstreamBusy: a limit is reached.
        """
        zone = labels_of(key)[-2:]
        if self.waiting >= self._most:
            raise UpstreamBusy("too many queries are waiting")
        if self._clients[client] >= self._most_of_client:
            raise UpstreamBusy("too many queries of this client are waiting")
        if self._zones[zone] >= self._most_of_zone:
            raise UpstreamBusy("too many queries for this domain are waiting")
        self.waiting += 1
        self._clients[client] += 1
        self._zones[zone] += 1
        try:
            yield
        finally:
            self.waiting -= 1
            _take_one(self._clients, client)
            _take_one(self._zones, zone)


def _take_one(counts: Counter[_Key], key: _Key) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
