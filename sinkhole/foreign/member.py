"""Clients as other programs name them, written as members of a group."""

import re
from collections.abc import Collection
from ipaddress import ip_network

_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", re.IGNORECASE).fullmatch
_CLIENT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE).fullmatch
_NAME = re.compile(r"[a-z0-9_*?.\[\]-]{1,253}", re.IGNORECASE).fullmatch


def address_member(text: str) -> str | None:
    """Return an address or network as a member, None where `text` is none."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def mac_member(text: str) -> str | None:
    """Return a hardware address as a member, None where `text` is none."""
    text = text.strip()
    return f"mac:{text.lower().replace('-', ':')}" if _MAC(text) else None


def name_member(text: str) -> str | None:
    """Return a name of a client, which may hold wildcards, as a member; None where `text` is no name."""
    text = text.strip().rstrip(".").lower()
    return f"name:{text}" if _NAME(text) else None


def id_member(text: str) -> str | None:
    """Return a client-id as a member, None where `text` is none."""
    text = text.strip()
    return f"id:{text}" if _CLIENT_ID(text) else None


def group_name(text: str) -> str:
    """Return the name of a group that is nearest to `text`: lower-case letters, digits and inner hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:38].strip("-") or "group"


def unused_name(name: str, taken: Collection[str | None]) -> str:
    """Return a name, with a number behind it where it is taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    return candidate
