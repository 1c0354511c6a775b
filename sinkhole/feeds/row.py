"""What every format reader shares: how a row is read, and how it is refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sinkhole.errors import FeedFormatError
from sinkhole.policy.rule import Rejection, Rule

SAMPLE_LENGTH = 120
"""Characters of a refused row that are kept to show it."""

MAX_ROW = 65_536
"""Octets of a row, unless a caller asks for less or more."""

Include = Callable[[str], Iterable[bytes] | None]
"""Finds the lines of another list of the same source by its name; None where it is not known."""


class RowError(FeedFormatError):
    """A row that cannot be accepted; `column` counts characters of the row from 1."""

    def __init__(self, why: str, column: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.column = column


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a list may do, and how it finds the lists it includes.

    `local` lists are the administrator's own: they may rewrite, limit to clients and be as wide as they like.
    `regexes` says whether rows that are regular expressions are read or refused.
    `whole` reads all names of a catalogue: those that are matched only when asked for, and the ways round policy, too.
    """

    local: bool = False
    regexes: bool = False
    include: Include | None = None
    whole: bool = False


class RowReader(Protocol):
    """Reads a list row by row; made anew for each list, since some formats carry state from row to row."""

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return what the row says; nothing for a comment. Raises RowError when all of it is refused."""
        ...

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return what is still open after the last row, number `line`. Raises RowError as `read` does."""
        ...


def decode_row(row: bytes, most_octets: int = MAX_ROW) -> str:
    """Return the text of a row without its line end.

    Raises:
        RowError: it is too long, not UTF-8, or holds a NUL octet.
    """
    if len(row) > most_octets:
        raise RowError(f"a row has at most {most_octets} octets, this one has {len(row)}")
    try:
        text = row.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("not UTF-8", len(row[: error.start].decode("utf-8")) + 1) from None
    if "\0" in text:
        raise RowError("a NUL octet", text.index("\0") + 1)
    return text.rstrip("\r\n")


def reject(error: RowError, text: str, line: int) -> Rejection:
    """Return the rejection of the row `text`, fit to be shown: no control, invisible or direction characters."""
    return Rejection(line, error.column, error.why, printable(text[:SAMPLE_LENGTH]))


def printable(text: str) -> str:
    """Return `text` with all that could disturb a terminal, a log or a page's direction escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
