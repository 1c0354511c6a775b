"""The listening sockets of the block page, bound by the supervisor before it gives up root."""

import socket
from dataclasses import dataclass

from sinkhole.config.schema import Settings
from sinkhole.errors import ListenError
from sinkhole.log import Log
from sinkhole.transport.addresses import ListenAddress, bind_tcp, parse_listen

HTTP, HTTPS = "http", "https"
_PORTS = {HTTP: 80, HTTPS: 443}


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where the page is: scheme and address."""

    scheme: str
    address: ListenAddress


def page_places(settings: Settings) -> list[PagePlace]:
    """Return where the settings want the page; nowhere where it is off.

    Raises:
        ListenError: an address cannot be read.
    """
    page, blocking = settings.block_page, settings.blocking
    if not page.enabled:
        return []
    sinkholes = [address for address in (blocking.ipv4, blocking.ipv6) if address is not None]
    return [
        PagePlace(scheme, address)
        for scheme, listen in ((HTTP, page.http), (HTTPS, page.https))
        for address in (
            [parse_listen(text) for text in listen] or [ListenAddress(one, _PORTS[scheme]) for one in sinkholes]
        )
    ]


class PageListeners:
    """Sockets by place. One that cannot be bound is said, and the server goes on without: DNS does not wait for it."""

    def __init__(self) -> None:
        self._sockets: dict[PagePlace, socket.socket] = {}
        self._log = Log("supervisor")

    def open(self, settings: Settings) -> None:
        """Bind what is wanted and not bound yet, and close what is no longer wanted."""
        wanted = page_places(settings)
        for place in self._sockets.keys() - set(wanted):
            self._sockets.pop(place).close()
        for place in wanted:
            if place in self._sockets:
                continue
            try:
                self._sockets[place] = bind_tcp(place.address, reuseport=False)
            except ListenError as error:
                self._log.error("page.not_listening", scheme=place.scheme, why=error, effect="no block page there")

    def all(self) -> list[tuple[str, socket.socket]]:
        """Return what is bound: scheme and socket."""
        return [(place.scheme, sock) for place, sock in self._sockets.items()]

    def close(self) -> None:
        """Close all."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()
