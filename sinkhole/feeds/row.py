"""What every format reader shares: how a row is read, and how it is refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sinkhole.errors import FeedFormatError
from sinkhole.policy.rule import Rejection, Rule

SAMPLE_LENGTH = 120
"""Characters of a refused row that are kept to show it."""

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
    """

    local: bool = False
    regexes: bool = False
    include: Include | None = None


class RowReader(Protocol):
    """Reads a list row by row; made anew for each list, since some formats carry state from row to row."""

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return what the row says; nothing for a comment. Raises RowError when all of it is refused."""
        ...

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return what is still open after the last row, number `line`. Raises RowError as `read` does."""
        ...


def reject(error: RowError, text: str, line: int) -> Rejection:
    """Return the rejection of the row `text`, fit to be shown: no control, invisible or direction characters."""
    return Rejection(line, error.column, error.why, printable(text[:SAMPLE_LENGTH]))


def printable(text: str) -> str:
    """Return `text` with all that could disturb a terminal, a log or a page's direction escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
