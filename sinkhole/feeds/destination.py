"""Which addresses a fetch may connect to: none inside the network, unless the administrator said so (CWE-918)."""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Final

from sinkhole.errors import FeedError, SinkholeError

Resolve = Callable[[str], Awaitable[list[str]]]
"""Looks up the IPv4 and IPv6 addresses of a host name, through the upstreams and never through ourselves (R-F11)."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that is reached."""
_LOCAL_NAT64: Final = ipaddress.ip_network("64:ff9b:1::/48")
"""RFC 8215: a translator of the own network, to addresses nobody outside can tell."""


async def addresses_of(host: str, resolve: Resolve) -> list[str]:
    """Return the addresses of `host`, which may be an address itself.

    Raises:
        FeedError: the name cannot be looked up or has no address.
    """
    literal = _read(host)
    if literal is not None:
        return [str(literal)]
    try:
        found = await resolve(host)
    except (SinkholeError, OSError) as error:
        raise FeedError(f"{host} cannot be looked up: {error}") from error
    if not found:
        raise FeedError(f"{host} has no address")
    return found


def check_destination(host: str, address: str, *, allow_private: bool) -> bool:
    """Return whether the address is inside the network; it was then permitted by `allow_private`.

    Raises:
        FeedError: a fetch must not connect to it.
    """
    found = _read(address)
    if found is None:
        raise FeedError(f"{host} was looked up as {address!r}, which is no address")
    real = _embedded(found)
    if real.is_link_local or real.is_multicast or real.is_unspecified or real in _LOCAL_NAT64:
        # Not even on request: cloud metadata services answer here, and no list does.
        raise FeedError(f"{host} has the address {address}, where no list can be")
    if real.is_global:
        return False
    if not allow_private:
        raise FeedError(f"{host} has the private address {address}, which this feed may not fetch from")
    return True


def _read(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address that is really reached by mapped, 6to4 and NAT64 addresses (RFC 4291, 3056, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
