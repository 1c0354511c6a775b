"""Where a request comes from and what host it was made to, believed as far as a trusted proxy says it."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from sinkhole.config.schema import AdminSettings

_LOCAL = "localhost"
_authority = re.compile(r"(\[(?P<bracketed>[0-9a-f:.]+)\]|(?P<name>[^\s:@/\[\]]*))(:[0-9]{0,5})?").fullmatch


@dataclass(frozen=True, slots=True)
class Peer:
    """A request's way here: address of the client, scheme and host that it used (without and with the port)."""

    address: str
    scheme: str
    host: str
    authority: str

    @property
    def origin(self) -> str:
        """What a browser calls pages from here (RFC 6454)."""
        return f"{self.scheme}://{self.authority}"

    @property
    def is_secure(self) -> bool:
        """Whether TLS covers the way from the client."""
        return self.scheme == "https"


class Peers:
    """Read where requests come from.

    Args:
        settings: names we are reached by, and proxies that are believed.
    """

    def __init__(self, settings: AdminSettings) -> None:
        self._hosts = frozenset((_LOCAL, *settings.hosts))
        self._proxies = [ipaddress.ip_network(text) for text in settings.trusted_proxies]

    def of(self, request: web.Request) -> Peer:
        """Return where a request comes from."""
        address, scheme = request.remote or "", "https" if request.secure else "http"
        if self._is_proxy(address):
            address = self._behind(request.headers.getall("X-Forwarded-For", [])) or address
            told = request.headers.get("X-Forwarded-Proto", "").strip().lower()
            scheme = told if told in ("http", "https") else scheme
        authority = request.headers.get("Host", "").strip().lower()
        return Peer(address, scheme, _host_of(authority), authority)

    def is_ours(self, peer: Peer) -> bool:
        """Return whether a request was made to a host of ours.

        A page of another site can have its name lead here (DNS rebinding), but never makes the browser send an
        address as the host.
        """
        return peer.host in self._hosts or _is_address(peer.host)

    def _is_proxy(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)

    def _behind(self, values: Iterable[str]) -> str | None:
        """Return the last address that no proxy of ours wrote about itself: what is before it anybody may have sent."""
        for text in reversed([part.strip() for value in values for part in value.split(",")]):
            if not _is_address(text):
                return None
            if not self._is_proxy(text):
                return text
        return None


def _host_of(authority: str) -> str:
    """Return the host of a `Host` field (RFC 9110, section 7.2), empty where it is not written as one."""
    found = _authority(authority)
    return "" if found is None else (found["bracketed"] or found["name"].rstrip("."))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
