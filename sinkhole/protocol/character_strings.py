"""Character strings of TXT-like data: `<octet count><octets>` on the wire, quoted in text (RFC 1035, section 5.1)."""

import re
from collections.abc import Sequence
from typing import Final

from sinkhole.errors import FormError

_MAX_STRING: Final = 255
_ESCAPE: Final = re.compile(rb"\\([0-9]{3}|.)", re.DOTALL)


def read_strings(field: str) -> bytes:
    r"""Read a field: quotes are taken off, `\"` and `\DDD` understood, the rest is UTF-8.

    Raises:
        FormError: quotes stand inside the field, or an escape passes 255.
    """
    data = field.encode(errors="surrogateescape")
    if len(data) >= 2 and data.startswith(b'"') and data.endswith(b'"'):
        data = data[1:-1]
    if b'"' in _ESCAPE.sub(b"", data):
        raise FormError(f"string: a quote inside {field[:40]!r}")
    return _ESCAPE.sub(_unescape, data)


def _unescape(found: re.Match[bytes]) -> bytes:
    what = found.group(1)
    if len(what) == 1:
        return what
    if int(what) > 255:
        raise FormError(f"string: an escape is at most \\255; found \\{what.decode()}")
    return bytes((int(what),))


def strings_from_text(fields: Sequence[str]) -> bytes:
    """Read fields as character strings; a field over 255 octets becomes several.

    Raises:
        FormError: a field is broken.
    """
    wire = bytearray()
    for field in fields:
        data = read_strings(field)
        for at in range(0, len(data) or 1, _MAX_STRING):
            piece = data[at : at + _MAX_STRING]
            wire.append(len(piece))
            wire += piece
    return bytes(wire)


def quote_string(rdata: bytes) -> str | None:
    """Write the character strings of a record's data, each in quotes; None if they are cut off."""
    written = []
    at = 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        if end > len(rdata):
            return None
        written.append('"' + "".join(map(_shown, rdata[at + 1 : end])) + '"')
        at = end
    return " ".join(written) or None


def _shown(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"
