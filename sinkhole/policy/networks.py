"""Rows of lists about addresses in answers: triggers of type `rpz-ip` (draft-vixie-dnsop-dns-rpz, section 4.3)."""

import ipaddress
from collections.abc import Sequence

from sinkhole.errors import PolicyError
from sinkhole.policy.groups import parse_network
from sinkhole.policy.rule import Match, Rule, RuleAction

MAX_NETWORKS = 20_000
"""Rows of all lists together: every worker holds them in memory, 300 octets each."""

NetworkRow = tuple[int, int, int, int, bool, int]
"""Number of the list, IP version, number of host bits, the network's own bits, whether it lets through, line."""

_CLASSES: dict[int, type[ipaddress.IPv4Network] | type[ipaddress.IPv6Network]] = {
    4: ipaddress.IPv4Network,
    6: ipaddress.IPv6Network,
}


def network_row(feed: int, rule: Rule) -> NetworkRow:
    """Return the row of a rule whose match is ADDRESS.

    Raises:
        PolicyError: its name is no network.
    """
    try:
        network = parse_network(rule.name)
    except ValueError as error:
        raise PolicyError(f"{rule.name!r} is no address or network: {error}") from error
    host_bits = network.max_prefixlen - network.prefixlen
    number = int(network.network_address) >> host_bits
    return (feed, network.version, host_bits, number, rule.action is RuleAction.ALLOW, rule.line)


class NetworkRules:
    """The rows, found by an address; immutable."""

    def __init__(self, rows: Sequence[NetworkRow]) -> None:
        self._count = len(rows)
        by_size: dict[tuple[int, int], dict[int, list[NetworkRow]]] = {}
        # A row that blocks goes before one on the same network that lets through: the stricter of equals.
        for row in sorted(map(_checked, rows), key=lambda row: (row[4], row[5])):
            by_size.setdefault(row[1:3], {}).setdefault(row[3], []).append(row)
        self._by_size = sorted(by_size.items(), key=lambda item: item[0][1])

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def find(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> dict[int, Rule]:
        """Return what each list says of an address, by the number of the list: its row with the longest prefix."""
        found: dict[int, Rule] = {}
        number = int(address)
        for (version, host_bits), networks in self._by_size:
            if version == address.version:
                for row in networks.get(number >> host_bits, ()):
                    if row[0] not in found:
                        found[row[0]] = _rule(row)
        return found


def _checked(row: Sequence[int]) -> NetworkRow:
    feed, version, host_bits, number, is_exception, line = row
    return (int(feed), int(version), int(host_bits), int(number), bool(is_exception), int(line))


def _rule(row: NetworkRow) -> Rule:
    _, version, host_bits, number, is_exception, line = row
    kind = _CLASSES[version]
    network = kind((number << host_bits, (32 if version == 4 else 128) - host_bits))
    return Rule(Match.ADDRESS, str(network), RuleAction.ALLOW if is_exception else RuleAction.BLOCK, line=line)
