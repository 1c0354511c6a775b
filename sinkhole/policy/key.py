"""Keys of the compiled names: folded labels in reverse order, so that a parent is a prefix of its children."""

from sinkhole.errors import FormError, PolicyError
from sinkhole.protocol.names import name_from_text, reversed_key

_LENGTHS = tuple(bytes([n]) for n in range(64))
_MAX_KEY = 254
"""A name has 255 octets at most (RFC 1035, section 2.3.4); a key lacks the root's octet."""


def key_from_text(text: str) -> bytes:
    """Return the key of a name in text form.

    Raises:
        PolicyError: it is not a name, or it is the root.
    """
    labels = text.encode("ascii", "replace").lower().split(b".")
    # Rows of lists are A-labels; the general reader costs ten times as much, which a million rows would feel.
    if text.isascii() and "\\" not in text and b"" not in labels and max(map(len, labels)) < len(_LENGTHS):
        labels.reverse()
        key = b"".join([_LENGTHS[len(label)] + label for label in labels])
        if len(key) <= _MAX_KEY:
            return key
    return reversed_key(wire_from_text(text))


def wire_from_text(text: str) -> bytes:
    """Return the folded wire form of a name in text form.

    Raises:
        PolicyError: it is not a name, or it is the root, which as a rule would be the whole world.
    """
    try:
        name = name_from_text(text)
    except FormError as error:
        raise PolicyError(f"{text[:120]!r} is not a name: {error}") from error
    if name == b"\0":
        raise PolicyError("the root is too wide for a rule")
    return name.lower()
