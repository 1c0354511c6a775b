"""Hits as dnstap messages: protobuf of the schema `dnstap.proto`, written by hand (decision 26).

A hit is told as a CLIENT_QUERY whose query message is made again from name and type, with the policy that was applied.
What dnstap has no field for, such as vendor and count, is JSON in `extra`.
"""

import ipaddress
import json
from contextlib import suppress

from sinkhole import __version__
from sinkhole.errors import FormError
from sinkhole.out.event import HitEvent
from sinkhole.out.json_format import to_object
from sinkhole.protocol.message import write_query
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question

_VARINT, _FIXED32, _BYTES = 0, 5, 2
_MESSAGE, _CLIENT_QUERY = 1, 5
_FAMILY = {4: 1, 6: 2}
_QNAME = 1
_PASS, _LOCAL_DATA = 3, 6
_LONGEST_EXTRA = 4000


def to_dnstap(event: HitEvent, identity: bytes) -> bytes:
    """Return the payload of one frame.

    Args:
        identity: of this server (field 1 of the schema).
    """
    return b"".join((
        _octets(1, identity),
        _octets(2, f"sinkhole {__version__}".encode()),
        _octets(3, _extra(event)),
        _octets(14, _message(event)),
        _number(15, _MESSAGE),
    ))  # fmt: skip


def _extra(event: HitEvent) -> bytes:
    told = to_object(event)
    wanted = ("uid", "action", "vendor", "product", "feed", "group", "count", "last")
    return json.dumps({key: told[key] for key in wanted}, separators=(",", ":")).encode()[:_LONGEST_EXTRA]


def _message(event: HitEvent) -> bytes:
    hit = event.hit
    parts = [_number(1, _CLIENT_QUERY)]
    try:
        address = ipaddress.ip_address(hit.client)
    except ValueError:
        pass  # a pseudonym, or not told
    else:
        parts += [_number(2, _FAMILY[address.version]), _octets(4, address.packed)]
    parts += [_number(8, max(0, hit.first)), _tag(9, _FIXED32) + bytes(4)]
    with suppress(FormError):  # it may be a mask and no name
        parts.append(_octets(10, write_query(Question(name_from_text(hit.name), hit.qtype), id=0)))
    parts.append(_octets(15, _policy(event)))
    return b"".join(parts)


def _policy(event: HitEvent) -> bytes:
    """Tell what decided. A blocked name is told as answered with data of ours: how it was answered is not recorded."""
    hit = event.hit
    is_blocked = hit.action in ("block", "coach")
    rule = _octets(2, hit.subject.encode("utf-8", "backslashreplace")) if hit.subject else b""
    action = _number(3, _LOCAL_DATA if is_blocked else _PASS)
    return _octets(1, b"sinkhole") + rule + action + _number(4, _QNAME)


def _octets(field: int, data: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first, all but the last with the high bit set."""
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
