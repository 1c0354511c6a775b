"""What a forwarder says in EDNS options of the client it asks for.

None of it is proof of anything: whoever reads it must know the forwarder. The options are those of dnsmasq, `add-mac`
and `add-cpe-id` (of the range for local use), and a client subnet as long as an address (RFC 7871, section 6).
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sinkhole.protocol.types import OptionCode

_MAC_OCTETS: Final = 6
_MAC_IN_BASE64: Final = 8
_LONGEST_ID: Final = 255
_FAMILIES: Final = {1: 32, 2: 128}
"""Address families of a client subnet, and the bits of a whole address in each."""
_is_mac_text = re.compile(rb"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}").fullmatch


@dataclass(frozen=True, slots=True)
class ClientClaim:
    """Whom a forwarder asks for: address, MAC address (`aa:bb:cc:dd:ee:ff`), CPE-ID; at least one is not None."""

    address: str | None = None
    mac: str | None = None
    cpe_id: str | None = None


def read_claim(options: Iterable[tuple[int, bytes]]) -> ClientClaim | None:
    """Return what options say of the client; what cannot be read says nothing.

    Where they say two things of one kind, neither counts: a client may send options too, and forwarders that replace
    their own kind let the others through.
    """
    said: dict[str, set[str]] = {"address": set(), "mac": set(), "cpe_id": set()}
    for code, data in options:
        if code in _READERS:
            kind, read = _READERS[code]
            said[kind] |= {value} if (value := read(data)) is not None else set()
    address, mac, cpe_id = (values.pop() if len(values) == 1 else None for values in said.values())
    return ClientClaim(address, mac, cpe_id) if address or mac or cpe_id else None


def _address(data: bytes) -> str | None:
    """Return the address of a client subnet that is a whole address."""
    bits = _FAMILIES.get(int.from_bytes(data[:2], "big"))
    if bits is None or len(data) != 4 + bits // 8 or data[2] != bits:
        return None
    address = ipaddress.ip_address(data[4:])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return None if address.is_unspecified else str(mapped or address)


def _mac(data: bytes) -> str | None:
    return data.hex(":") if len(data) == _MAC_OCTETS and any(data) else None


def _mac_text(data: bytes) -> str | None:
    """Return the MAC address of dnsmasq's `add-mac=text`, or of `add-mac=base64`."""
    if _is_mac_text(data):
        return _mac(bytes.fromhex(data.decode().replace(":", "").replace("-", "")))
    try:
        return _mac(base64.b64decode(data, validate=True)) if len(data) == _MAC_IN_BASE64 else None
    except binascii.Error:
        return None


def _cpe_id(data: bytes) -> str | None:
    text = data.decode("ascii", "replace").strip()
    return text if 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isprintable() else None


_READERS: Final[dict[int, tuple[str, Callable[[bytes], str | None]]]] = {
    OptionCode.ECS: ("address", _address),
    OptionCode.DNSMASQ_MAC: ("mac", _mac),
    OptionCode.DEVICE_ID: ("mac", _mac_text),
    OptionCode.CPE_ID: ("cpe_id", _cpe_id),
}
