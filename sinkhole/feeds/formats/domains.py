"""Plain domain lists: `x`, `*.x`, `.x` and `+.x` all mean x and every name below it (R-L03).

Peers differ on the bare name; the lists themselves do not: those that come in several formats (HaGeZi, v2fly) write
for one and the same rule `x` or `*.x` here, `||x^` for ad blockers and `address=/x/` for dnsmasq. `match = "exact"`
reads a list otherwise.
"""

import re
from collections.abc import Sequence
from typing import Final

from sinkhole.feeds.hostname import PLAIN_NAME, admit, is_address, read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule

_ORDINARY = re.compile(rf"{PLAIN_NAME}\Z").match
_COMMENTS: Final = ("#", "!", ";", "//")
_INLINE_COMMENT = re.compile(r"[ \t]*#|[ \t]+(?:!|;|//)").search
_PREFIX = re.compile(r"\*\.|\+\.|\.").match


class DomainsReader:
    """Reads rows of one name each."""

    def __init__(self, options: ReadOptions) -> None:
        # A bare `com` is a slip even in a list of our own: whoever means it writes `||com^`.
        del options

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the one rule of the row."""
        if _ORDINARY(text):
            return (Rule(Match.SUFFIX, admit(text), line=line),)
        row, column = bare_row(text)
        if not row:
            return ()
        prefix = _PREFIX(row)
        if prefix and row != ".":
            row, column = row[prefix.end() :], column + prefix.end()
        return (Rule(Match.SUFFIX, read_name(row, column), line=line),)

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()


def bare_row(text: str) -> tuple[str, int]:
    """Return the one field of a row without comments and blanks, empty if there is none, and its column.

    Raises:
        RowError: there are several fields.
    """
    if text.lstrip().startswith(_COMMENTS):
        return "", 1
    comment = _INLINE_COMMENT(text)
    if comment:
        text = text[: comment.start()]
    row = text.strip()
    column = len(text) - len(text.lstrip()) + 1
    if len(row.split()) > 1:
        first = row.split()[0]
        why = "a hosts row; the format of this list is another" if is_address(first) else "more than one name in a row"
        raise RowError(why, column + len(first) + 1)
    return row, column
