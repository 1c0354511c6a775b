"""Networks as owners of records of a policy zone: `24.0.2.0.192.rpz-ip` (draft-vixie-dnsop-dns-rpz, section 4.3).

The prefix length comes first, then the address backwards; in IPv6 in words of up to four digits, with `zz` for `::`.
"""

import ipaddress
import re
from typing import Final

from sinkhole.config.schema import PRIVATE_NETWORKS
from sinkhole.feeds.row import RowError
from sinkhole.policy.groups import parse_network

LABEL: Final = "rpz-ip"
_FORM: Final = "wanted PREFIX.D.C.B.A or, in IPv6, PREFIX and words backwards with zz for ::"
_GAP: Final = "zz"
_is_length = re.compile(r"[1-9][0-9]{0,2}").fullmatch
_is_word = re.compile(rf"[0-9a-f]{{1,4}}|{_GAP}").fullmatch
_WORDS: Final = 8
_SHORTEST: Final = {4: 8, 6: 16}
"""Prefixes below which a network has so many owners that no list can mean them all."""
_OWN: Final = tuple(map(ipaddress.ip_network, (*PRIVATE_NETWORKS, "0.0.0.0/8", "::/128")))
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Stands for all of IPv4 (RFC 6052), so a network around it does too."""


def read_network(text: str, *, wide: bool) -> str:
    """Return the network that an owner, without its label `rpz-ip`, writes.

    Args:
        wide: whether any network may pass, those of this host and this network too.

    Raises:
        RowError: it writes none, or one that no remote list may take.
    """
    length, *labels = text.lower().split(".")
    if not _is_length(length) or not all(map(_is_word, labels)):
        raise RowError(_FORM)
    try:
        network = parse_network(str(ipaddress.ip_network(f"{_address(labels[::-1])}/{length}")))
    except ValueError as error:
        raise RowError(f"{_FORM}: {error}") from None
    if wide:
        return str(network)
    if network.prefixlen < _SHORTEST[network.version] or (network.version == 6 and _NAT64.subnet_of(network)):
        raise RowError(f"too wide: {network} has many owners")
    if any(network.version == own.version and network.overlaps(own) for own in _OWN):
        raise RowError(f"{network} is of this host or of private networks, which no remote list takes")
    return str(network)


def write_network(text: str) -> str:
    """Return the owner that `read_network` reads as this network, with its label."""
    network = ipaddress.ip_network(text)
    if network.version == 4:
        parts = str(network.network_address).split(".")
    else:
        parts = [word.lstrip("0") or "0" for word in network.network_address.exploded.split(":")]
    return ".".join([str(network.prefixlen), *reversed(parts), LABEL])


def _address(parts: list[str]) -> str:
    """Return the address that the labels, turned round, write; what it is worth `ipaddress` says."""
    if _GAP in parts:
        at = parts.index(_GAP)
        return f"{':'.join(parts[:at])}::{':'.join(parts[at + 1 :])}"
    return (":" if len(parts) == _WORDS else ".").join(parts)
