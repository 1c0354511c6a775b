"""Host names as lists write them: to lower-case A-labels, or refused with the reason."""

import ipaddress
import re
from typing import Final

import idna

from sinkhole.feeds.row import RowError
from sinkhole.public_suffix import is_public_suffix

LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
"""A label as lists use it: letters, digits, hyphen (RFC 1123, section 2.1) and the underscore of service names."""

PLAIN_NAME: Final = rf"(?:{LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
"""An ordinary name of two labels or more, for the fast paths. Each label ends at its dot, so matching is linear."""

LOCAL_NAMES: Final = frozenset({
    "localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet",
    "ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts", "loopback", "0.0.0.0",  # noqa: S104
})  # fmt: skip
"""Names every hosts file gives to the machine itself; a list never blocks them."""

MAX_NAME: Final = 253
_MAX_UNREAD: Final = 1024

_IS_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*\Z").match
_BAD_CHARACTER = re.compile(r"[^a-z0-9._-]").search


def read_name(text: str, column: int = 1, *, wide: bool = False) -> str:
    """Return the name that `text` writes: lower case, A-labels, without the final dot.

    Args:
        text: one field of a row, without blanks around it.
        column: where the field stands in the row, for the reason.
        wide: whether public suffixes and single labels may pass.

    Raises:
        RowError: it is an address, a URL, a mask, too wide, or not a name.
    """
    name = text.lower()
    if not name.isascii():
        name = _to_ascii(text, column)
    if name.endswith(".") and len(name) > 1:
        name = name[:-1]
    if not _IS_NAME(name):
        raise _explain(name, column)
    if _is_number(name[name.rfind(".") + 1 :]):
        raise RowError("an address or a number, not a name", column)
    return admit(name, column, wide=wide)


def admit(name: str, column: int = 1, *, wide: bool = False) -> str:
    """Return `name`, which has the form of `PLAIN_NAME`, unless no list may block it; raises RowError."""
    if len(name) > MAX_NAME:
        raise RowError(f"a name has at most {MAX_NAME} characters, this one has {len(name)}", column)
    if name in LOCAL_NAMES:
        raise RowError(f"{name} is this machine's own name and is never blocked", column)
    if not wide and is_public_suffix(name):
        raise too_wide(name, column)
    return name


def too_wide(what: str, column: int = 1) -> RowError:
    """Return the error for a row that would take in a whole public suffix, or everything."""
    return RowError(f"too wide: {what!r} is a public suffix or matches names of many owners", column)


def is_address(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address; an IPv6 zone (`fe80::1%lo0`) may follow."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_number(label: str) -> bool:
    """Tell `7`, `0x7f` and the like from a top-level domain: software takes names that end so for addresses."""
    return label.isdigit() or (label.startswith("0x") and label[2:].strip("0123456789abcdef") == "")


def _to_ascii(text: str, column: int) -> str:
    """Return the A-labels of an internationalised name (UTS #46, non-transitional)."""
    if len(text) > _MAX_UNREAD:
        raise RowError(f"a name has at most {MAX_NAME} characters, this one has {len(text)}", column)
    for at, character in enumerate(text):
        # UTS #46 drops soft hyphens and their like without a word, and the row would block another name than it shows.
        if not character.isprintable():
            raise RowError(f"an invisible character, U+{ord(character):04X}", column + at)
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise RowError(f"not an internationalised name: {error}", column) from None


def _explain(name: str, column: int) -> RowError:
    """Return why `name`, which is known to be none, is none."""
    at = name.find("/")
    if at >= 0:
        return RowError("a URL or path: DNS cannot tell pages apart, and the whole host was not asked for", column + at)
    if is_address(name.strip("[]")):
        return RowError("an address, not a name", column)
    host, colon, port = name.partition(":")
    if colon and port.isdigit():
        return RowError("a port: DNS cannot tell services of a host apart", column + len(host))
    if name in (".", "*", "*."):
        return RowError("too wide: it matches every name", column)
    if "*" in name:
        return RowError("a wildcard in a place where this format has none", column + name.index("*"))
    bad = _BAD_CHARACTER(name)
    if bad:
        return RowError(f"a character no host name has: {bad[0]!r}", column + bad.start())
    label = next(label for label in name.split(".") if not _IS_NAME(label))
    start = f".{name}.".index(f".{label}.")
    if not label:
        return RowError("an empty label", column + start)
    if len(label) > 63:
        return RowError(f"a label has at most 63 characters, this one has {len(label)}", column + start)
    return RowError("a label begins or ends with a hyphen", column + start)
