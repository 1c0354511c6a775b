"""Domain names: `bytes` in uncompressed wire form, root label included, in the letter case they came in.

Nothing is forbidden inside a label: names are 8-bit clean (RFC 2181, section 11).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import idna

from sinkhole.errors import FormError

ROOT: Final = b"\0"
MAX_NAME: Final = 255
MAX_LABEL: Final = 63
_HEADER: Final = 12
# A pointer may lead to another one; an encoder makes a few of them, an attack makes thousands.
_MAX_JUMPS: Final = 127
# Each octet of a name takes at most four characters (`\255`).
_MAX_TEXT: Final = 4 * MAX_NAME
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_*/-]*")
_PLAIN_NAME: Final = re.compile(rb"[A-Za-z0-9_*/.-]*")
_DOT: Final = ord(".")
_MUST_QUOTE: Final = frozenset(b'".;\\()@$')


def read_name(wire: bytes, offset: int, seen: dict[int, bytes] | None = None) -> tuple[bytes, int]:
    """Read the name at an offset, following compression pointers (RFC 1035, section 4.1.4).

    A pointer must lead backward, behind the header, and to before the labels it ends.

    Args:
        wire: the whole message.
        offset: where the name begins.
        seen: names already read by their offset; given for all names of one message, its cost is linear.

    Returns:
        The name without compression, and the offset after it.

    Raises:
        FormError: it is cut off, too long, or its pointers or label types are not allowed.
    """
    start = offset
    try:
        while length := wire[offset]:
            if length > MAX_LABEL:
                target = _pointer(wire, offset, start)
                name = seen.get(target) if seen else None
                if name is None:
                    name = _follow(wire, target, {} if seen is None else seen)
                end = offset + 2
                if offset != start:
                    name = wire[start:offset] + name
                break
            offset += length + 1
        else:
            end = offset + 1
            name = wire[start:end]
    except IndexError:
        raise FormError(f"name at octet {start}: cut off by the end of the message") from None
    if len(name) > MAX_NAME:
        raise FormError(f"name at octet {start}: at most 255 octets are allowed; found {len(name)}")
    return name, end


def _pointer(wire: bytes, offset: int, start: int) -> int:
    if wire[offset] < 0xC0:
        raise FormError(f"label at octet {offset}: types 01 and 10 are not in use (RFC 6891, section 5)")
    target = (wire[offset] & 0x3F) << 8 | wire[offset + 1]
    if not _HEADER <= target < start:
        raise FormError(f"pointer at octet {offset}: must lead to an earlier name; found {target}")
    return target


def _follow(wire: bytes, target: int, seen: dict[int, bytes]) -> bytes:
    """Read the name a pointer leads to and remember it from each of its labels on, so that none is walked twice."""
    parts: list[tuple[int, bytes]] = []
    offset = start = target
    octets = jumps = 0
    while (tail := seen.get(offset)) is None:
        length = wire[offset]
        if length == 0:
            tail = ROOT
            break
        if length > MAX_LABEL:
            jumps += 1
            if jumps > _MAX_JUMPS:
                raise FormError(f"pointer at octet {offset}: more than {_MAX_JUMPS} in one name")
            parts.append((offset, b""))
            offset = start = _pointer(wire, offset, start)
            continue
        octets += length + 1
        if octets >= MAX_NAME:
            raise FormError(f"name at octet {target}: at most 255 octets are allowed")
        parts.append((offset, wire[offset : offset + length + 1]))
        offset += length + 1
    for at, label in reversed(parts):
        tail = label + tail
        seen[at] = tail
    return tail


def fold(name: bytes) -> bytes:
    """Lower the ASCII letters (RFC 4343); length octets are below 65 and stay as they are."""
    return name.lower()


def labels_of(name: bytes) -> tuple[bytes, ...]:
    """Split a name into its labels, without the root."""
    labels = []
    at = 0
    while length := name[at]:
        labels.append(name[at + 1 : at + 1 + length])
        at += length + 1
    return tuple(labels)


def name_of(labels: Iterable[bytes]) -> bytes:
    """Return the name that has these labels."""
    return b"".join(bytes((len(label),)) + label for label in labels) + ROOT


def parents_of(name: bytes) -> Iterator[bytes]:
    """Yield the name itself, then each name above it, the root last."""
    at = 0
    while length := name[at]:
        yield name[at:]
        at += length + 1
    yield ROOT


def is_at_or_below(name: bytes, zone: bytes) -> bool:
    """Tell whether a name is a zone's own or below it; both must be folded."""
    if not name.endswith(zone):
        return False
    # `notexample.org` ends with the octets of a shorter name too, when a letter equals a length octet.
    start = len(name) - len(zone)
    at = 0
    while at < start:
        at += name[at] + 1
    return at == start


def reversed_key(name: bytes) -> bytes:
    """Fold a name and reverse its labels, root left out: any parent's key is then a prefix of it."""
    folded = name.lower()
    labels = []
    at = 0
    while length := folded[at]:
        end = at + length + 1
        labels.append(folded[at:end])
        at = end
    labels.reverse()
    return b"".join(labels)


def name_to_text(name: bytes) -> str:
    """Write a name for people, without the final dot; the root is `.`.

    Octets outside printable ASCII become `\\DDD`, special characters are quoted (RFC 1035, section 5.1).
    """
    if name == ROOT:
        return "."
    # Nearly all names are plain, and are written in one piece: a dot in place of each length but the first.
    written = bytearray(memoryview(name)[1:-1])
    at, end, dots = name[0], len(written), 0
    while at < end:
        length = written[at]
        written[at] = _DOT
        at += length + 1
        dots += 1
    if _PLAIN_NAME.fullmatch(written) and written.count(_DOT) == dots:
        return written.decode()
    return ".".join([label.decode() if _PLAIN.fullmatch(label) else _quote(label) for label in labels_of(name)])


def _quote(label: bytes) -> str:
    written = []
    for octet in label:
        if octet in _MUST_QUOTE:
            written.append("\\" + chr(octet))
        elif 0x20 < octet < 0x7F:
            written.append(chr(octet))
        else:
            written.append(f"\\{octet:03d}")
    return "".join(written)


def name_from_text(text: str) -> bytes:
    r"""Read a name as people write it; a final dot is optional, `\.` and `\DDD` are understood.

    Letters outside ASCII become A-labels (UTS #46, non-transitional).

    Raises:
        FormError: the text is empty, too long, has an empty label or a broken escape, or is no valid IDN.
    """
    if text == ".":
        return ROOT
    if len(text) > _MAX_TEXT:
        raise FormError(f"name: at most 255 octets are allowed; found {len(text)} characters")
    ascii_text = text if text.isascii() else _to_alabels(text)
    labels = _unquote(ascii_text) if "\\" in ascii_text else ascii_text.encode().split(b".")
    if labels[-1] == b"":
        labels.pop()
    wire = bytearray()
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL:
            raise FormError(f"name {text[:80]!r}: a label has 1 to 63 octets; found {len(label)}")
        wire.append(len(label))
        wire += label
    wire.append(0)
    if not 1 < len(wire) <= MAX_NAME:
        raise FormError(f"name {text[:80]!r}: 1 to 255 octets are wanted; found {len(wire) if labels else 0}")
    return bytes(wire)


def _to_alabels(text: str) -> str:
    if "\\" in text:
        raise FormError(f"name {text[:80]!r}: escapes and letters outside ASCII do not go together")
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        return ".".join(part if part.isascii() else idna.alabel(part).decode() for part in mapped.split("."))
    except UnicodeError as error:
        raise FormError(f"name {text[:80]!r}: not a valid internationalised name: {error}") from None


def _unquote(text: str) -> list[bytes]:
    labels = [bytearray()]
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == ".":
            labels.append(bytearray())
            continue
        if char == "\\":
            octet, at = _escaped(text, at)
            labels[-1].append(octet)
        else:
            labels[-1].append(ord(char))
    return [bytes(label) for label in labels]


def _escaped(text: str, at: int) -> tuple[int, int]:
    """Read what follows a backslash: three digits, or one character that stands for itself."""
    digits = text[at : at + 3]
    if digits[:1].isdigit():
        if len(digits) == 3 and digits.isdigit() and int(digits) <= 255:
            return int(digits), at + 3
    elif digits:
        return ord(digits[0]), at + 1
    raise FormError(f"name {text[:80]!r}: an escape is \\DDD up to \\255, or \\ and a character; found \\{digits}")
