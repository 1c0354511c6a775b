"""Addresses and networks of clients, as policy compares them."""

import ipaddress
from functools import lru_cache

from sinkhole.errors import PolicyError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_client(address: str) -> Address | None:
    """Read a client's address, or return None; IPv4 within IPv6 counts as IPv4, a zone index (`%eth0`) is dropped."""
    try:
        client = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (client.version == 6 and client.ipv4_mapped) or client


def client_address(text: str) -> str:
    """Return the address of a client in its usual spelling.

    Raises:
        PolicyError: it is none.
    """
    found = parse_client(text)
    if found is None:
        raise PolicyError(f"{text!r} is no address such as 192.0.2.7 or 2001:db8::7")
    return str(found)


@lru_cache(maxsize=8192)  # members of groups are read again and again, and Python's reader is slow
def parse_network(text: str) -> Network:
    """Read an address or network; IPv4 within IPv6 counts as IPv4.

    Raises:
        ValueError: it is neither.
    """
    network = ipaddress.ip_network(text, strict=False)
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return ipaddress.IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network
