"""TTLs of finished replies: found once, counted down while a reply is kept."""

import struct
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.types import QType

_HEADER: Final = struct.Struct("!6H")
_RECORD: Final = struct.Struct("!HHIH")
_TTL_OCTETS: Final = 4
_NONE_LEFT: Final = bytes(_TTL_OCTETS)


def ttl_offsets(wire: bytes) -> list[int]:
    """Find the TTL fields of a reply that we wrote; that of OPT is none (RFC 6891, section 6.1.3).

    Raises:
        FormError: the reply is cut off.
    """
    offsets: list[int] = []
    try:
        _, _, questions, *counts = _HEADER.unpack_from(wire)
        at = _HEADER.size
        for _ in range(questions):
            at = _skip_name(wire, at) + 4
        for _ in range(sum(counts)):
            at = _skip_name(wire, at)
            rtype, _, _, length = _RECORD.unpack_from(wire, at)
            if rtype != QType.OPT:
                offsets.append(at + 4)
            at += 10 + length
    except (IndexError, struct.error):
        raise FormError("reply: cut off") from None
    if at != len(wire):
        raise FormError(f"reply: {at} octets by its counts; found {len(wire)}")
    return offsets


def _skip_name(wire: bytes, at: int) -> int:
    while length := wire[at]:
        if length >= 0xC0:
            return at + 2
        at += length + 1
    return at + 1


def aged(wire: bytes, offsets: list[int], seconds: int, start: int = 0) -> bytes:
    """Return the octets of a reply from `start` on with its TTLs lowered, none below zero.

    Args:
        wire: the reply.
        offsets: where its TTLs are, none before `start`.
        seconds: by how much.
        start: octets in front that are left out.
    """
    pieces: list[bytes] = []
    for at in offsets:
        # Octet by octet: compiled, that takes a tenth of a call of `struct`.
        ttl = (wire[at] << 24 | wire[at + 1] << 16 | wire[at + 2] << 8 | wire[at + 3]) - seconds
        pieces.append(wire[start:at])
        pieces.append(ttl.to_bytes(_TTL_OCTETS, "big") if ttl > 0 else _NONE_LEFT)
        start = at + _TTL_OCTETS
    pieces.append(wire[start:])
    return b"".join(pieces)
