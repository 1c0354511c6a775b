"""What a list is, from its first lines: its format, or that it is no list at all."""

import re
from collections.abc import Callable
from typing import Final

from sinkhole.errors import FeedFormatError
from sinkhole.feeds.hostname import LABEL, PLAIN_NAME

HEAD_OCTETS: Final = 65_536
"""Octets that are enough to judge by: the longest header comment seen has 3 kB."""

_MAX_ROWS: Final = 500
_CATALOGUE: Final = (b'"sinkhole"', b'"bypass"')
"""Keys of our catalogue: its own are sorted, and the first of them alone may be longer than what is looked at."""
_SERVICES: Final = b'"blocked_services"'
_ADDRESS: Final = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+(?:%\w+)?)"
_NAME: Final = rf"{LABEL}(?:\.{LABEL})+\.?"

_SIGNS: Final[tuple[tuple[str, Callable[[str], object]], ...]] = (
    ("unbound", re.compile(r"(?:local-zone|local-data):|server:\Z").match),
    ("dnsmasq", re.compile(r"(?:address|server|local|nftset|ipset)=/").match),
    ("rpz", re.compile(r"\$(?:ttl|origin)\b|.*\s(?:soa|cname)\s").match),
    ("clash", re.compile(r"payload:\Z|(?:domain|ip|process|user|url)(?:-[a-z0-9]+)*,|(?:- *['\"]?)?\+\.").match),
    ("v2fly", re.compile(rf"(?:include|full|domain|regexp|keyword):|{_NAME} +@!?[a-z]").match),
    ("hosts", re.compile(rf"{_ADDRESS}[ \t]+[a-z0-9_*-]").match),
    ("domains", re.compile(rf"(?:\*?\.)?{PLAIN_NAME}\.?(?:\s+(?:[#;!]|//)|\s*\Z)").match),
    ("adblock", re.compile(r"\[adblock|(?:@@)?\|\|?\w|.*#[@?$%]{0,3}#\S|/.*/(?:\$|\Z)|\S*[*^|]\S*\Z").match),
)
"""How the rows of each format look, the more telling signs first: of two with equally many rows the first wins."""


def detect(head: bytes) -> str:
    """Return the format of a list from its first octets, at best `HEAD_OCTETS` of them.

    Raises:
        FeedFormatError: it is not text, a web page or another JSON document, empty, or like no format known.
    """
    refuse_unreadable(head)
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lower()
    if text.lstrip().startswith(("{", "[{")):
        return "adguard-services" if _SERVICES in head else "catalogue"
    votes = dict.fromkeys((name for name, _ in _SIGNS), 0)
    rows = [row.strip() for row in text.splitlines()[:_MAX_ROWS]]
    for row in rows:
        for name, is_sign in _SIGNS:
            if not row.startswith(("!", "#", ";")) and is_sign(row):
                votes[name] += 1
                break
    best = max(votes, key=votes.__getitem__)
    if votes[best]:
        return _settle(best, votes)
    if not any(rows):
        raise FeedFormatError("the list is empty")
    raise FeedFormatError("the rows look like no format known; name the format")


def refuse_unreadable(head: bytes) -> None:
    """Raise FeedFormatError when the first octets are those of no list in any format."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FeedFormatError("the list is UTF-16 or UTF-32; wanted UTF-8")
    if head.startswith((b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise FeedFormatError("the list is a compressed file; wanted text")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:HEAD_OCTETS]
    if start.startswith(b"<"):
        raise FeedFormatError("the list is a web page (HTML or XML)")
    if start.startswith((b"{", b"[{")) and not any(key in start for key in (*_CATALOGUE, _SERVICES)):
        raise FeedFormatError("the list is a JSON document, but not a catalogue of this program")


def _settle(best: str, votes: dict[str, int]) -> str:
    """Return the format of a mixed list: the one that reads the rows of the other too."""
    if best == "hosts" and votes["adblock"]:
        return "adblock"
    if best == "domains" and votes["v2fly"]:
        return "v2fly"
    if best == "domains" and votes["clash"]:
        return "clash"
    return best
