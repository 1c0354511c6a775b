"""Which groups a client is in, by its address, and which of them counts more."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sinkhole.errors import PolicyError
from sinkhole.policy.statement import Group

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_is_name = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?").fullmatch


@dataclass(frozen=True, slots=True)
class Scope:
    """What policy knows of a client: equal scopes get equal verdicts, so answers may be shared within one.

    Attributes:
        groups: all groups of the client, those of the more specific network first, then by their order, then by name.
        ranks: one number per group; equally specific groups have the same. Empty: the position counts.
        client: the address, where a row of a list is limited to single clients (`$client`); else None.
    """

    groups: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    client: str | None = None

    def rank_of(self, group: str | None) -> int | None:
        """Return how specific a scope is for this client, 0 for the most; None where it does not hold for it.

        Args:
            group: name of a group, or None for all clients.
        """
        if group is None:
            return len(self.groups)
        if group not in self.groups:
            return None
        place = self.groups.index(group)
        return self.ranks[place] if self.ranks else place


EVERYONE = Scope()
"""The scope of a client that is in no group."""


class ClientGroups:
    """Look-up of groups by address.

    Raises:
        PolicyError: a member is not an address or network.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, list[Group]]] = {}
        for group in groups:
            for member in group.members:
                network = _network(group, member)
                at = (network.version, network.max_prefixlen - network.prefixlen)
                here = self._by_prefix.setdefault(at, {}).setdefault(int(network.network_address) >> at[1], [])
                here.append(group)

    def scope_of(self, address: str) -> Scope:
        """Return the scope of a client; what is not an address is in no group, so the policy for all holds for it."""
        client = parse_client(address)
        if client is None:
            return EVERYONE
        number = int(client)
        found: dict[str, tuple[int, int, str]] = {}
        for (version, host_bits), networks in self._by_prefix.items():
            if version == client.version:
                for group in networks.get(number >> host_bits, ()):
                    place = (host_bits, group.order, group.name)
                    found[group.name] = min(place, found.get(group.name, place))
        places = sorted(found.values())
        steps = sorted({place[:2] for place in places})
        return Scope(tuple(place[2] for place in places), tuple(steps.index(place[:2]) for place in places))


def name_mistake(name: str) -> str | None:
    """Say what is wrong with the name of a group, or return None."""
    return None if _is_name(name) else f"group name {name!r}: wanted lower-case letters, digits and inner -"


def parse_client(address: str) -> _Address | None:
    """Read a client's address, or return None; IPv4 within IPv6 counts as IPv4, a zone index (`%eth0`) is dropped."""
    try:
        client = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (client.version == 6 and client.ipv4_mapped) or client


def parse_network(text: str) -> _Network:
    """Read an address or network; IPv4 within IPv6 counts as IPv4.

    Raises:
        ValueError: it is neither.
    """
    network = ipaddress.ip_network(text, strict=False)
    if network.version == 6 and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return ipaddress.IPv4Network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network


def _network(group: Group, member: str) -> _Network:
    try:
        return parse_network(member)
    except ValueError as error:
        raise PolicyError(f"group {group.name}: {member!r} is not an address or network: {error}") from error
