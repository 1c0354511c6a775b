"""A DHCP lease, as the lease files of all servers tell it."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from sinkhole.policy.member import is_id

_LATEST = 1 << 53
"""Seconds that a float holds exactly."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who has an address.

    Attributes:
        mac: `aa:bb:cc:dd:ee:ff`, or None where the file does not tell it (most of DHCPv6).
        client_id: of DHCPv4 option 61, or the DUID of DHCPv6; empty for none.
        host: the name the client gives itself; nobody vouches for it.
        expires: epoch seconds, None for never.
    """

    address: str
    mac: str | None
    client_id: bytes
    host: str | None
    expires: float | None

    @property
    def ids(self) -> tuple[str, ...]:
        """The client-id in hexadecimal, and as text where it is one (RFC 2132, section 9.14: type 0 is no address)."""
        if not self.client_id:
            return ()
        octets = self.client_id[1:] if self.client_id[0] == 0 else self.client_id
        text = octets.decode("ascii", "replace")
        is_text = octets.isascii() and is_id(text)
        return (self.client_id.hex(":"), text) if is_text else (self.client_id.hex(":"),)

    def holds(self, now: float) -> bool:
        """Return whether it has not expired."""
        return self.expires is None or now < self.expires


@dataclass(frozen=True, slots=True)
class Leases:
    """The leases of a file, by address, the last of each; and how many of its lines say nothing that can be read."""

    by_address: dict[str, Lease]
    malformed: int = 0


Parser = Callable[[str], Leases]


def address_of(text: str) -> str:
    """Return an address in its usual spelling; raise ValueError for another text, and for one with a zone."""
    address = ipaddress.ip_address(text)
    if getattr(address, "scope_id", None) is not None:
        raise ValueError("an address of a lease has no zone")
    return str(address)


def seconds_of(text: str) -> float:
    """Return a time in seconds; raise ValueError for another text, and for one that no clock ever shows."""
    seconds = int(text)
    if abs(seconds) > _LATEST:
        raise ValueError("a time beyond all clocks")
    return float(seconds)


def octets_of(text: str) -> bytes:
    """Return octets written in hexadecimal with colons; raise ValueError for another text."""
    return bytes.fromhex(text.replace(":", " ")) if text else b""


def host_of(text: str) -> str | None:
    """Return a host name as it may be shown and stored, None for none."""
    name = text.strip().rstrip(".")
    return name.lower() if is_id(name) and name != "*" else None
