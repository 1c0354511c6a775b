"""TTLs of finished replies: found once, counted down while a reply is kept."""

import struct
from collections.abc import Iterable
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.types import QType

_HEADER: Final = struct.Struct("!6H")
_RECORD: Final = struct.Struct("!HHIH")
_TTL: Final = struct.Struct("!I")


def ttl_offsets(wire: bytes) -> tuple[int, ...]:
    """Find the TTL fields of a reply that we wrote; that of OPT is none (RFC 6891, section 6.1.3).

    Raises:
        FormError: the reply is cut off.
    """
    offsets = []
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
    return tuple(offsets)


def _skip_name(wire: bytes, at: int) -> int:
    while length := wire[at]:
        if length >= 0xC0:
            return at + 2
        at += length + 1
    return at + 1


def age(wire: bytearray, offsets: Iterable[int], seconds: int) -> None:
    """Lower the TTLs of a reply in place, none below zero."""
    for at in offsets:
        (ttl,) = _TTL.unpack_from(wire, at)
        _TTL.pack_into(wire, at, ttl - seconds if ttl > seconds else 0)
