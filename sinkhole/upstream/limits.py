"""How many queries may wait for upstreams at the same time, so that slow names cannot use up everything (R-P03).

Beside the limits of the settings there is one by what is left (a dynamic threshold): no client and no domain may have
more than four times the places that are free. However few places there are (descriptors may be scarce), and whoever
floods, the next client finds one: of k that take all they can, each gets 4 / (4 k + 1), and 1 / (4 k + 1) stays free.
"""

import resource
from typing import Final, TypeVar

from sinkhole.config.schema import UpstreamSettings
from sinkhole.policy.place import OF_COUNTRIES, is_shared
from sinkhole.upstream.failure import UpstreamBusy

_Key = TypeVar("_Key")

_SPARE_DESCRIPTORS: Final = 256
"""Left to listeners, clients on TCP and files; each waiting query holds one socket, or two when it races."""


_TIMES_FREE: Final = 4
"""Places of one client or domain for each free one: alone it may have four fifths."""


class InFlight:
    """Count the queries that wait: all, those of a client, those for a registered domain."""

    def __init__(self, settings: UpstreamSettings, descriptors: int | None = None) -> None:
        if descriptors is None:
            descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        sockets = 2 if settings.strategy == "race" else 1
        fitting = max(10, (descriptors - _SPARE_DESCRIPTORS) // sockets) if descriptors > 0 else settings.max_in_flight
        self._most = min(settings.max_in_flight, fitting)
        self._most_of_client = settings.max_in_flight_per_client
        self._most_of_zone = settings.max_in_flight_per_zone
        self._clients: dict[str, int] = {}
        self._zones: dict[bytes, int] = {}
        self.waiting = 0

    def enter(self, client: str, key: bytes) -> "Place":
        """Return a place for one query, which counts it while it is entered (`with`).

        Args:
            client: address of the client.
            key: the name asked, folded.

        Raises:
            UpstreamBusy: when it is entered and a limit is reached.
        """
        return Place(self, client, key)

    def take(self, client: str, zone: bytes) -> None:
        """Count one query.

        Raises:
            UpstreamBusy: a limit is reached.
        """
        of_client, of_zone = self._clients.get(client, 0), self._zones.get(zone, 0)
        free = self._most - self.waiting
        if free <= 0:
            raise UpstreamBusy("too many queries are waiting")
        if of_client >= min(self._most_of_client, free * _TIMES_FREE):
            raise UpstreamBusy("too many queries of this client are waiting")
        if of_zone >= min(self._most_of_zone, free * _TIMES_FREE):
            raise UpstreamBusy("too many queries for this domain are waiting")
        self.waiting += 1
        self._clients[client] = of_client + 1
        self._zones[zone] = of_zone + 1

    def give_back(self, client: str, zone: bytes) -> None:
        """Count one query less."""
        self.waiting -= 1
        _take_one(self._clients, client)
        _take_one(self._zones, zone)


class Place:
    """Counts one query while it waits. A class and no generator: it is entered for each query that is forwarded."""

    __slots__ = ("_client", "_limits", "_zone")

    def __init__(self, limits: InFlight, client: str, key: bytes) -> None:
        self._limits = limits
        self._client = client
        self._zone = zone_of(key)

    def __enter__(self) -> None:
        self._limits.take(self._client, self._zone)

    def __exit__(self, *_: object) -> None:
        self._limits.give_back(self._client, self._zone)


def zone_of(key: bytes) -> bytes:
    """Return the domain that somebody registered, by a guess without the list of public suffixes.

    By the last two labels alone, all domains below `co.uk` would share the places of one.
    """
    third = second = last = at = 0
    while length := key[at]:
        third, second, last = second, last, at
        at += length + 1
    if third != second and at - last - 1 == OF_COUNTRIES and is_shared(key[second + 1 : last], key[last + 1 : at]):
        return key[third:]
    return key[second:]


def _take_one(counts: dict[_Key, int], key: _Key) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
