"""A bound on the requests of one client that are under way: behind a proxy all share its connections."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from sinkhole.blockpage.shares import Shares
from sinkhole.web.attempts import key_of_address
from sinkhole.web.problem import RequestError

MOST, MOST_OF_CLIENT = 256, 32
"""Connections of the front are bounded by the same numbers."""


class InHand:
    """Count requests that are under way."""

    def __init__(self) -> None:
        self._shares = Shares(MOST, MOST_OF_CLIENT)

    @contextmanager
    def one_of(self, address: str) -> Iterator[None]:
        """Count one of a client until it is done.

        Raises:
            RequestError: 503, too many of the client, or of all, are under way.
        """
        key = key_of_address(address)
        if not self._shares.has_room(key, is_many=_is_loopback(address)):
            raise RequestError(503, "too many requests are under way from your address", headers={"Retry-After": "1"})
        self._shares.enter(key)
        try:
            yield
        finally:
            self._shares.leave(key)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
