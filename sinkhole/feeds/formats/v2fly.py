"""The source form of v2fly's domain lists: `x`, `domain:x`, `full:x`, `keyword:`, `regexp:`, `include:`, `@attribute`.

A row says `[TYPE:]VALUE [@ATTRIBUTE …] [&LIST …] [# comment]`. All rows count, whatever their attributes: those
divide a list for routing (`@cn`, `@!cn`), not for blocking.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from sinkhole.feeds.formats.expression import read_expression
from sinkhole.feeds.formats.keyword import read_keyword
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import ReadOptions, RowError, decode_row, reject
from sinkhole.policy.rule import Match, Rejection, Rule

_MAX_DEPTH: Final = 8
_MAX_LISTS: Final = 500
_MAX_ROWS: Final = 500_000


class V2flyReader:
    """Reads rows, and those of the lists they include; what comes from there bears the line of the `include:`."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._trail: list[str] = []
        self._included = 0
        self._rows = 0

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the rule of the row, or all of the list it includes."""
        return list(self._read_row(text, line, lambda attributes: True))

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_row(self, text: str, line: int, is_wanted: Callable[[set[str]], bool]) -> Iterator[Rule | Rejection]:
        row = text.partition("#")[0]
        fields = row.split()
        if not fields:
            return
        value, marks = fields[0], fields[1:]
        column = row.index(value) + 1
        if any(mark[0] not in "@&" or len(mark) == 1 for mark in marks):
            raise RowError("wanted attributes (@NAME) after the value", column + len(value) + 1)
        attributes = {mark[1:] for mark in marks if mark[0] == "@"}
        kind, colon, rest = value.partition(":")
        if kind == "include" and colon:
            yield from self._include(rest, column + len(kind) + 1, attributes, line)
        elif is_wanted(attributes):
            yield self._read_rule(kind if colon else "domain", rest if colon else value, column, line)

    def _read_rule(self, kind: str, value: str, column: int, line: int) -> Rule:
        column += len(kind) + 1 if kind != "domain" else 0
        if kind == "domain":
            return Rule(Match.SUFFIX, read_name(value, column, wide=self._options.local), line=line)
        if kind == "full":
            return Rule(Match.EXACT, read_name(value, column, wide=self._options.local), line=line)
        if kind == "keyword":
            return Rule(Match.MASK, read_keyword(value, column, self._options), line=line)
        if kind == "regexp":
            return Rule(Match.REGEX, read_expression(value, column, self._options), line=line)
        raise RowError(f"v2fly lists have no type {kind!r}", 1)

    def _include(self, name: str, column: int, attributes: set[str], line: int) -> Iterator[Rule | Rejection]:
        """Read another list; `@a` takes only its rows that have a, `@-a` only those that have not."""
        self._included += 1
        if name in self._trail or len(self._trail) >= _MAX_DEPTH or self._included > _MAX_LISTS:
            raise RowError(f"{name} includes itself, or too much", column)
        rows = self._options.include(name) if self._options.include else None
        if rows is None:
            raise RowError(f"the list {name!r}, which this row includes, is not at hand", column)
        with_all = {a for a in attributes if not a.startswith("-")}
        without = {a[1:] for a in attributes if a.startswith("-")}

        def is_wanted(found: set[str]) -> bool:
            return with_all <= found and not without & found

        self._trail.append(name)
        try:
            for number, octets in enumerate(rows, 1):
                self._rows += 1
                if self._rows > _MAX_ROWS:
                    raise RowError(f"more than {_MAX_ROWS} rows are included", column)
                yield from self._read_included(name, number, octets, line, is_wanted)
        finally:
            self._trail.pop()

    def _read_included(
        self, name: str, number: int, octets: bytes, line: int, is_wanted: Callable[[set[str]], bool]
    ) -> Iterator[Rule | Rejection]:
        text = ""
        try:
            text = decode_row(octets)
            yield from self._read_row(text, line, is_wanted)
        except RowError as error:
            yield reject(RowError(f"in {name}, line {number}: {error.why}", error.column), text, line)
