"""SquidGuard folders: the file `domains` has one name a row, with all below it.

`urls` and `expressions` look at pages: their rows are refused one by one, so that such a file says what it is.
"""

from collections.abc import Sequence

from sinkhole.feeds.formats.domains import bare_row
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule


class SquidguardReader:
    """Reads rows of a `domains` file; unlike a plain domain list it knows no wildcard before the name."""

    def __init__(self, options: ReadOptions) -> None:
        # No option matters: such a list has names only.
        del options

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the one rule of the row."""
        if set("()|\\^$").intersection(text):
            raise RowError("an expression on URLs: DNS does not see them")
        row, column = bare_row(text)
        return (Rule(Match.SUFFIX, read_name(row, column), line=line),) if row else ()

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()
