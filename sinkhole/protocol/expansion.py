"""Record data taken out of a message: names decompressed where a sender may compress them, the rest untouched."""

from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.names import read_name
from sinkhole.protocol.types import QType

# The types of RFC 3597, section 4: octets before the names, how many names, octets after them (None: any number).
NAMES_IN: Final[dict[int, tuple[int, int, int | None]]] = {
    QType.NS: (0, 1, 0),
    QType.MD: (0, 1, 0),
    QType.MF: (0, 1, 0),
    QType.CNAME: (0, 1, 0),
    QType.SOA: (0, 2, 20),
    QType.MB: (0, 1, 0),
    QType.MG: (0, 1, 0),
    QType.MR: (0, 1, 0),
    QType.PTR: (0, 1, 0),
    QType.MINFO: (0, 2, 0),
    QType.MX: (2, 1, 0),
    QType.RP: (0, 2, 0),
    QType.AFSDB: (2, 1, 0),
    QType.RT: (2, 1, 0),
    QType.SIG: (18, 1, None),
    QType.PX: (2, 2, 0),
    QType.NXT: (0, 1, None),
    QType.SRV: (6, 1, 0),
    QType.NAPTR: (4, 1, 0),
    QType.KX: (2, 1, 0),
    QType.DNAME: (0, 1, 0),
}
ADDRESS_OCTETS: Final[dict[int, int]] = {QType.A: 4, QType.AAAA: 16}


def expand_names(wire: bytes, rtype: int, offset: int, end: int, seen: dict[int, bytes]) -> bytes:
    """Copy the data of a record whose type is in `NAMES_IN`, with its names decompressed.

    Args:
        wire: the whole message.
        rtype: the type of the record.
        offset, end: where its data begin and end.
        seen: as for `read_name`.

    Raises:
        FormError: the data do not agree with their type.
    """
    before, names, after = NAMES_IN[rtype]
    at = offset + before
    if rtype == QType.NAPTR:
        at = _skip_strings(wire, at, end)
    parts = [wire[offset:at]]
    for _ in range(names):
        if at >= end:
            raise FormError(f"data at octet {offset}: too short for their type")
        name, at = read_name(wire, at, seen)
        parts.append(name)
    if at > end or (after is not None and end - at != after):
        raise FormError(f"data at octet {offset}: their length does not agree with their type")
    if at < end:
        parts.append(wire[at:end])
    return b"".join(parts)


def _skip_strings(wire: bytes, at: int, end: int) -> int:
    """Pass flags, services and regexp, which stand before the name of NAPTR (RFC 3403, section 4.1)."""
    for _ in range(3):
        if at >= end:
            raise FormError(f"data at octet {at}: too short for NAPTR")
        at += 1 + wire[at]
    return at


def check_rdata(rtype: int, rdata: bytes) -> None:
    """Check uncompressed data of class IN as those of a received message are checked.

    Raises:
        FormError: the data do not agree with their type.
    """
    if len(rdata) != ADDRESS_OCTETS.get(rtype, len(rdata)):
        raise FormError(f"address: {ADDRESS_OCTETS[rtype]} octets are wanted; found {len(rdata)}")
    if rtype in NAMES_IN and expand_names(rdata, rtype, 0, len(rdata), {}) != rdata:
        raise FormError("data: a name must not be compressed")
