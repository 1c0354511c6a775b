"""Where webhooks may lead: where feeds may be fetched from (CWE-918); inside the network only with allow_private."""

import ipaddress
from collections.abc import Awaitable, Callable

from sinkhole.errors import FeedError, OutError
from sinkhole.feeds.destination import addresses_of, check_destination

Lookup = Callable[[str], Awaitable[list[str]]]
_LOCALHOST = "localhost"


def lookup_of(resolve: Callable[[str], Awaitable[list[str]]], *, allow_private: bool) -> Lookup:
    """Return what looks a host up, and raises OutError where one of its addresses is not permitted."""

    async def lookup(host: str) -> list[str]:
        try:
            found = await addresses_of(host.rstrip("."), resolve)
        except FeedError as error:
            raise OutError(str(error)) from error
        for address in found:
            if mistake := _mistake(host, address, allow_private=allow_private):
                raise OutError(mistake)
        return found

    return lookup


def destination_mistake(host: str, *, allow_private: bool) -> str | None:
    """Return why nothing is ever sent to a host, as far as that is told without looking it up."""
    name = host.rstrip(".")
    if name == _LOCALHOST or name.endswith(f".{_LOCALHOST}"):
        return _mistake(host, "127.0.0.1", allow_private=allow_private)  # RFC 6761, section 6.3
    try:
        address = str(ipaddress.ip_address(name))
    except ValueError:
        return None
    return _mistake(host, address, allow_private=allow_private)


def _mistake(host: str, address: str, *, allow_private: bool) -> str | None:
    try:
        check_destination(host, address, allow_private=allow_private)
    except FeedError:
        what = host if host == address else f"{host} has the address {address}, which"
        try:
            check_destination(host, address, allow_private=True)
        except FeedError:
            return f"{what} is where no receiver can be"
        return f"{what} is inside the network; allow_private = true would permit it"
    return None
