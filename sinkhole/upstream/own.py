"""Tell whether an upstream is this very server: a query forwarded to ourselves would never end."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence

from sinkhole.upstream.address import Scheme, UpstreamAddress, parse_upstream


def is_own(upstream: UpstreamAddress, listen: Sequence[str]) -> bool:
    """Say whether plain DNS to `upstream` would arrive at one of our listening addresses.

    Args:
        upstream: the upstream; one with a host name is not judged here (see `own_addresses`).
        listen: addresses we listen on, as `ADDRESS:PORT`.
    """
    if not upstream.is_literal or upstream.scheme not in (Scheme.UDP, Scheme.TCP):
        return False
    return bool(own_addresses((upstream.host,), upstream.port, listen))


def own_addresses(hosts: Iterable[str], port: int, listen: Sequence[str]) -> frozenset[str]:
    """Return those of the IP addresses `hosts` on which we listen at `port`."""
    # Port 0 means one that the system will choose, which nobody knows yet.
    chosen = [text for text in listen if not text.endswith(":0")]
    listeners = [(ipaddress.ip_address(at.host), at.port) for at in map(parse_upstream, chosen)]
    own = set()
    for host in hosts:
        address = ipaddress.ip_address(host)
        for bound, bound_port in listeners:
            if bound_port != port:
                continue
            # An IPv6 wildcard may take IPv4 as well, and 0.0.0.0 as a destination means this host.
            if bound == address or (bound.is_unspecified and _is_local(host)) or address.is_unspecified:
                own.add(host)
    return frozenset(own)


def _is_local(host: str) -> bool:
    """Say whether packets to an address stay on this machine: the kernel then sends from the address itself."""
    address = ipaddress.ip_address(host)
    if address.is_loopback or address.is_unspecified:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing. Binding to the address would do too, but with
            # ip_nonlocal_bind every address of the world could be bound.
            probe.connect((host, 53))
            return ipaddress.ip_address(probe.getsockname()[0]) == address
        except OSError:
            return False
