"""EDNS(0): the OPT record and its options (RFC 6891)."""

import struct
from collections.abc import Iterable
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.types import OptionCode, QType
from sinkhole.protocol.value import value

# Clients send a handful; a packet with thousands of empty options only wants to cost time.
MAX_OPTIONS: Final = 128
DO_BIT: Final = 0x8000
_OPTION: Final = struct.Struct("!HH")
_OPT: Final = struct.Struct("!BHHBBHH")
_NO_ERROR: Final = b"\0\0"
"""INFO-CODE 0 and no EXTRA-TEXT (RFC 8914, section 2)."""


@value(frozen=True, slots=True)
class Edns:
    """What an OPT record says, its extended RCODE apart.

    Args:
        payload: the sender's UDP payload size, as sent.
        version: the EDNS version.
        do: DNSSEC records are wanted (RFC 3225).
        options: code and data of each option, in order.
    """

    payload: int
    version: int = 0
    do: bool = False
    options: tuple[tuple[int, bytes], ...] = ()


def read_options(wire: bytes, offset: int, end: int) -> tuple[tuple[int, bytes], ...]:
    """Read the options between two offsets of a message.

    Raises:
        FormError: an option passes the end, or there are more than anyone needs.
    """
    options: list[tuple[int, bytes]] = []
    while offset < end:
        if end - offset < 4:
            raise FormError(f"option at octet {offset}: cut off by the end of its record")
        code, length = _OPTION.unpack_from(wire, offset)
        offset += 4 + length
        if offset > end:
            raise FormError(f"option {code}: {length} octets pass the end of its record")
        if len(options) == MAX_OPTIONS:
            raise FormError(f"options: at most {MAX_OPTIONS} are allowed")
        options.append((code, wire[offset - length : offset]))
    return tuple(options)


def write_opt(payload: int, *, do: bool, rcode: int = 0, options: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """Write an OPT record of version 0.

    Args:
        payload: our own UDP payload size.
        do: the DO flag.
        rcode: the whole response code; its upper 8 bits go here.
        options: code and data of each option.
    """
    data = b"".join([_OPTION.pack(code, len(value)) + value for code, value in options])
    return _OPT.pack(0, QType.OPT, payload, rcode >> 4, 0, DO_BIT if do else 0, len(data)) + data


def asks_structured(edns: Edns | None, sde_option: int | None = None) -> bool:
    """Return whether a client can read structured errors (draft-ietf-dnsop-structured-dns-error).

    It says so by an option of its own without data, or, as earlier texts of the draft had it and clients do, by an
    extended error in its query: "Other", without text.

    Args:
        sde_option: number of that option; None while it has none.
    """
    if edns is None:
        return False
    return any(
        (code == OptionCode.EDE and data == _NO_ERROR) or (code == sde_option and not data)
        for code, data in edns.options
    )
