"""Domain lists of Clash and Surge: `+.x`, `.x` and `x`; `DOMAIN-SUFFIX,x` and its kin; both also as YAML `payload:`.

By the documentation of Clash's rule providers a bare name is exact, `+.x` is x and all below, `.x` all below alone;
`*.x` is one label below, here all below.
"""

import re
from collections.abc import Sequence
from typing import Final

from sinkhole.feeds.formats.expression import read_expression
from sinkhole.feeds.formats.keyword import read_keyword
from sinkhole.feeds.hostname import read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule

_PREFIXES: Final = {"+.": Match.SUFFIX, "*.": Match.BELOW, ".": Match.BELOW}
_CLASSICAL: Final = {"DOMAIN": Match.EXACT, "DOMAIN-SUFFIX": Match.SUFFIX}
_KEYWORD: Final = "DOMAIN-KEYWORD"
_REGEX: Final = "DOMAIN-REGEX"
_WILDCARD: Final = "DOMAIN-WILDCARD"
_ITEM = re.compile(r"[ \t]*-[ \t]+(['\"]?)(.*?)\1[ \t]*(?:[ \t]#.*)?\Z").match
_COMMENT = re.compile(r"[ \t]*(?:#|//|;|\Z)").match
_TRAILING = re.compile(r"[ \t]+(?:#|//).*\Z|[ \t]+\Z").sub


class ClashReader:
    """Reads rows of names, of `TYPE,VALUE[,option …]`, or of the YAML list `payload:`, in any mixture."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the one rule of the row."""
        if _COMMENT(text) or text.rstrip() == "payload:":
            return ()
        item = _ITEM(text)
        row = item[2] if item else _TRAILING("", text)
        column = item.start(2) + 1 if item else len(row) - len(row.lstrip()) + 1
        row = row.strip()
        if row.partition(",")[1]:
            return (self._read_classical(row, column, line),)
        prefix = next((p for p in _PREFIXES if row.startswith(p)), "")
        name = read_name(row[len(prefix) :], column + len(prefix), wide=self._options.local)
        return (Rule(_PREFIXES.get(prefix, Match.EXACT), name, line=line),)

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_classical(self, row: str, column: int, line: int) -> Rule:
        word, _, rest = row.partition(",")
        kind = word.strip().upper()
        # A comma inside an expression is part of it; other values end at their comma, where options begin.
        value = (rest if kind == _REGEX else rest.partition(",")[0]).strip()
        column += row.index(value, len(word))
        if kind in _CLASSICAL:
            return Rule(_CLASSICAL[kind], read_name(value, column, wide=self._options.local), line=line)
        if kind == _KEYWORD:
            return Rule(Match.MASK, read_keyword(value, column, self._options), line=line)
        if kind == _REGEX:
            return Rule(Match.REGEX, read_expression(value, column, self._options), line=line)
        if kind == _WILDCARD and value.startswith("*."):
            return Rule(Match.BELOW, read_name(value[2:], column + 2, wide=self._options.local), line=line)
        raise RowError(f"a rule of type {kind[:40]!r}, which is not about names", 1)
