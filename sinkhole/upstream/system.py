"""The resolvers that the system is told to use (resolv.conf), which are the upstreams when none is configured."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sinkhole.errors import ConfigError
from sinkhole.upstream.address import Scheme, UpstreamAddress, parse_upstream
from sinkhole.upstream.own import is_own

RESOLV_CONF = Path("/etc/resolv.conf")
LOOK_AGAIN = 5.0
"""Seconds between two looks at the file: DHCP and VPN clients rewrite it while we run."""


def system_upstreams(listen: Sequence[str] = (), path: Path = RESOLV_CONF) -> tuple[UpstreamAddress, ...]:
    """Return the nameservers of resolv.conf(5) but for our own addresses; none if the file cannot be read.

    Args:
        listen: addresses we listen on, as the settings spell them.
        path: the file.
    """
    return tuple(server for server in _nameservers(path) if not is_own(server, listen))


def is_only_own(listen: Sequence[str], path: Path = RESOLV_CONF) -> bool:
    """Say whether the system has resolvers and every one of them is ourselves."""
    servers = _nameservers(path)
    return bool(servers) and all(is_own(server, listen) for server in servers)


class SystemWatch:
    """Follow the file: hand out the system's upstreams, anew when it has changed."""

    def __init__(
        self, listen: Sequence[str], path: Path = RESOLV_CONF, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._listen = tuple(listen)
        self._path = path
        self._clock = clock
        self._next_look = float("-inf")
        self._servers: tuple[UpstreamAddress, ...] | None = None

    def changed(self) -> tuple[UpstreamAddress, ...] | None:
        """Return the upstreams if they are not those of the last call, else None."""
        now = self._clock()
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_AGAIN
        servers = system_upstreams(self._listen, self._path)
        # A file that is being rewritten, or a network that is down, is no reason to forget upstreams that worked.
        if servers == self._servers or (self._servers and not servers):
            return None
        self._servers = servers
        return servers


def _nameservers(path: Path) -> list[UpstreamAddress]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return []
    found: list[UpstreamAddress] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            address = parse_upstream(words[1])
        except ConfigError:
            continue
        if address.is_literal and address.scheme is Scheme.UDP and address not in found:
            found.append(address)
    return found


def search_domains(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """Return what stubs append to names, as the file writes it: its last `search` or `domain` counts, as for them."""
    try:
        lines = [line.split() for line in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return ()
    said = [tuple(words[1:]) for words in lines if len(words) > 1 and words[0] in ("search", "domain")]
    return said[-1] if said else ()
