"""The IP address to reach an upstream at."""

from collections.abc import Awaitable, Callable, Sequence

from sinkhole.upstream.address import Scheme, UpstreamAddress
from sinkhole.upstream.failure import UpstreamFailure
from sinkhole.upstream.own import own_addresses

LookUp = Callable[[str], Awaitable[tuple[str, ...]]]
"""Return the IP addresses of a host name."""


class Locator:
    """Give the IP address of one upstream; of several, the one that worked last.

    Args:
        address: the upstream.
        look_up: looks up its host name, if it has one.
        listen: our own listening addresses, which are never given.
    """

    def __init__(self, address: UpstreamAddress, look_up: LookUp, listen: Sequence[str]) -> None:
        self._address = address
        self._look_up = look_up
        self._listen = tuple(listen)
        self._turn = 0

    async def __call__(self) -> str:
        """Return the IP address.

        Raises:
            UpstreamFailure: the name cannot be looked up, or leads to ourselves.
        """
        if self._address.is_literal:
            return self._address.host
        hosts = await self._look_up(self._address.host)
        if self._address.scheme in (Scheme.UDP, Scheme.TCP):
            own = own_addresses(hosts, self._address.port, self._listen)
            hosts = tuple(host for host in hosts if host not in own)
            if not hosts:
                raise UpstreamFailure("the upstream's name leads back to this server")
        return hosts[self._turn % len(hosts)]

    def move_on(self) -> None:
        """Give the next address from now on."""
        self._turn += 1
