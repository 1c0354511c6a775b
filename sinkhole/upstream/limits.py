"""How many queries may wait for upstreams at the same time, so that slow names cannot use up everything (R-P03).

Beside the limits of the settings there is one by what is left (a dynamic threshold): no client and no domain may have
more than four times the places that are free. However few places there are (descriptors may be scarce), and whoever
floods, the next client finds one: of k that take all they can, each gets 4 / (4 k + 1), and 1 / (4 k + 1) stays free.
"""

import resource
from typing import Final, Generic, TypeVar

from sinkhole.config.schema import UpstreamSettings
from sinkhole.policy.place import OF_COUNTRIES, is_shared
from sinkhole.upstream.failure import UpstreamBusy

_Key = TypeVar("_Key", str, bytes)

_SPARE_DESCRIPTORS: Final = 256
"""Left to listeners, clients on TCP and files; each waiting query holds one socket, or two when it races."""


_TIMES_FREE: Final = 4
"""Places of one client or domain for each free one: alone it may have four fifths."""


class Share(Generic[_Key]):
    """How many queries of one client, or for one domain, wait; `key` says whose."""

    __slots__ = ("key", "waiting")

    def __init__(self, key: _Key) -> None:
        self.key: _Key = key
        self.waiting = 0


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
        self._clients: dict[str, Share[str]] = {}
        self._zones: dict[bytes, Share[bytes]] = {}
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

    def take(self, client: str, zone: bytes) -> tuple[Share[str], Share[bytes]]:
        """Count one query.

        Returns:
            Where it is counted, for its client and for its domain, to `give_back`.

        Raises:
            UpstreamBusy: a limit is reached.
        """
        client_share, zone_share = self._clients.get(client), self._zones.get(zone)
        of_client = 0 if client_share is None else client_share.waiting
        of_zone = 0 if zone_share is None else zone_share.waiting
        free = self._most - self.waiting
        if free <= 0:
            raise UpstreamBusy("too many queries are waiting")
        if of_client >= min(self._most_of_client, free * _TIMES_FREE):
            raise UpstreamBusy("too many queries of this client are waiting")
        if of_zone >= min(self._most_of_zone, free * _TIMES_FREE):
            raise UpstreamBusy("too many queries for this domain are waiting")
        if client_share is None:
            client_share = self._clients[client] = Share(client)
        if zone_share is None:
            zone_share = self._zones[zone] = Share(zone)
        self.waiting += 1
        client_share.waiting += 1
        zone_share.waiting += 1
        return client_share, zone_share

    def give_back(self, of_client: Share[str], of_zone: Share[bytes]) -> None:
        """Count one query less, once for each `take`, by what that returned."""
        self.waiting -= 1
        of_client.waiting -= 1
        of_zone.waiting -= 1
        if not of_client.waiting:
            del self._clients[of_client.key]
        if not of_zone.waiting:
            del self._zones[of_zone.key]


class Place:
    """Counts one query while it waits. A class and no generator: it is entered for each query that is forwarded."""

    __slots__ = ("_client", "_limits", "_of_client", "_of_zone", "_zone")

    def __init__(self, limits: InFlight, client: str, key: bytes) -> None:
        self._limits = limits
        self._client = client
        self._zone = zone_of(key)

    def __enter__(self) -> None:
        self._of_client, self._of_zone = self._limits.take(self._client, self._zone)

    def __exit__(self, *_: object) -> None:
        self._limits.give_back(self._of_client, self._of_zone)


def zone_of(key: bytes) -> bytes:
    """Return the domain that somebody registered, by a guess without the list of public suffixes.

    By the last two labels alone, all domains below `co.uk` would share the places of one.
    """
    third = second = last = at = 0
    while length := key[at]:
        third, second, last = second, last, at
        at += length + 1
    # The length is known here, and to cut out both labels for each query takes more than to look at it.
    if third != second and at - last - 1 == OF_COUNTRIES and is_shared(key[second + 1 : last], key[last + 1 : at]):
        return key[third:]
    return key[second:]
