"""The pattern of an adblock rule: a name, exact or with all below it, or a mask."""

import re
from typing import Final

from sinkhole.feeds.hostname import is_address, read_name, too_wide
from sinkhole.feeds.row import RowError
from sinkhole.policy.rule import Match
from sinkhole.public_suffix import is_listed_suffix

_MIN_PATTERN: Final = 3
_SCHEMES: Final = ("://", "http://")
_MASK_CHARACTERS = re.compile(r"[a-z0-9._*-]+\Z").match
_FIRST_LABEL = re.compile(r"/[a-z0-9.-]+\.\Z").match
_COMMON_LABELS: Final = frozenset({"www", "web", "http", "https", "api", "app", "cdn", "mail"})


def is_too_short(pattern: str) -> bool:
    """Return whether AdGuard refuses `pattern` for want of letters, unless a modifier narrows it (ErrTooWideRule)."""
    return pattern in ("||", "|", "*", "") or len(pattern) < _MIN_PATTERN


def read_pattern(text: str, column: int, *, wide: bool) -> tuple[Match, str]:
    """Return how a pattern matches, and the name or the mask.

    `^` ends a name, since nothing else in a name is a separator, and so does a final `|`; `||` begins it or one of its
    labels, `|` begins it. Without an end the pattern is open: `||x.org` matches `x.org.example` too.

    Raises:
        RowError: it is a URL, holds characters no name has, can never match, or is too wide and `wide` is False.
    """
    start, core, closed = _split(text.lower(), column)
    column += len(text) - len(text.lstrip("|"))
    if closed and start and "*" not in core:
        return Match.SUFFIX if start == "||" else Match.EXACT, read_name(core, column, wide=wide)
    below = _name_below(start, core)
    if closed and below is not None:
        return Match.BELOW, read_name(below, column + len(core) - len(below), wide=wide)
    if not _MASK_CHARACTERS(core):
        bad = next((at for at, c in enumerate(core) if not _MASK_CHARACTERS(c)), 0)
        raise RowError(f"a character no mask has: {core[bad : bad + 1]!r}", column + bad)
    if ".." in core or (start and core.startswith(".")):
        raise RowError("an empty label: it matches no name", column)
    if is_address(core):
        raise RowError("an address, not a name", column)
    mask = start + re.sub(r"\*+", "*", core) + ("^" if closed else "")
    if wide:
        return Match.MASK, mask
    if not _is_narrow(core):
        raise too_wide(mask, column)
    # `||x.org` without an end is `||x.org^` to whoever wrote it. Remote lists are full of such rows, and a true mask is
    # tried on every query, where a name costs nothing.
    if start == "||" and "*" not in core and is_listed_suffix(core.rpartition(".")[2]):
        return Match.SUFFIX, read_name(core, column)
    return Match.MASK, mask


def _split(pattern: str, column: int) -> tuple[str, str, bool]:
    """Return the start anchor (`||`, `|` or nothing), the text between the anchors, and whether its end is anchored."""
    if pattern.endswith("/*"):
        # AdGuard reads `x.org/*`, every page of a host, as the host itself.
        pattern = pattern[:-2] + "^"
    for scheme in _SCHEMES:
        if pattern.startswith(scheme):
            pattern = "|" + pattern[len(scheme) :]
    if _FIRST_LABEL(pattern):
        pattern = "|" + pattern[1:]
    if "/" in pattern:
        at = pattern.index("/")
        raise RowError("a URL or path: DNS cannot tell pages apart, and the whole host was not asked for", column + at)
    start = "||" if pattern.startswith("||") else "|" if pattern.startswith("|") else ""
    rest = pattern[len(start) :]
    while rest.endswith(("^*", "^|", "^^")):
        rest = rest[:-1]
    closed = rest.endswith(("^", "|"))
    core = rest[:-1] if closed else rest
    for mark in "^|":
        if mark in core:
            raise RowError(f"{mark} inside a name: it matches nothing", column + len(start) + core.index(mark))
    if not core:
        raise RowError("too wide: no name at all", column)
    return start, core, closed


def _name_below(start: str, core: str) -> str | None:
    """Return x of `*.x` and, unanchored, `.x`, whose end is anchored: the names below x."""
    below = core[2:] if core.startswith("*.") else core[1:] if core.startswith(".") and not start else None
    return below if below and "*" not in below else None


def _is_narrow(core: str) -> bool:
    """Return whether some literal piece of a mask is more than a public suffix or a label everyone has."""
    pieces = (piece.strip(".-") for piece in core.split("*"))
    return any(
        len(piece) >= _MIN_PATTERN and piece not in _COMMON_LABELS and not is_listed_suffix(piece) for piece in pieces
    )
