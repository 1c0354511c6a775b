"""Adblock DNS syntax: `||x^`, `@@||x^$important`, masks, regular expressions, plain and hosts rows (R-L04 to R-L08).

The meaning of every row is AdGuard's (its knowledge base, "DNS filtering rules syntax"); where that is silent, what
its engine does. A row this server cannot honour in full is refused in full.
"""

import re
from collections.abc import Sequence

from sinkhole.feeds.formats.expression import read_expression
from sinkhole.feeds.formats.hosts import HostsReader
from sinkhole.feeds.formats.modifiers import Modifiers, read_modifiers, split_modifiers
from sinkhole.feeds.formats.pattern import is_too_short, read_pattern
from sinkhole.feeds.hostname import LABEL, PLAIN_NAME, admit, is_address
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule

_ORDINARY = re.compile(rf"\|\|({PLAIN_NAME})\^\Z").match
_PLAIN_ROW = re.compile(rf"{LABEL}(?:\.{LABEL})*\.?(?:[ \t]+#.*)?\Z").match
_MARKS = frozenset("|*^$@/#")
_COSMETIC = re.compile(r"#@?[?$%]{0,2}#|\$@?\$")
_HEADING = re.compile(r"#+(?:\s|\Z)").match


class AdblockReader:
    """Reads adblock rows, and the hosts rows and plain names that such lists mix in (each exact, as in AdGuard)."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._hosts = HostsReader(options)

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the rule of the row, several for a hosts row of several names, none for a comment or a header."""
        ordinary = _ORDINARY(text)
        if ordinary:
            name = admit(ordinary[1], 3, wide=self._options.local)
            return (Rule(Match.SUFFIX, name, line=line),)
        row = text.strip()
        if _is_comment(row):
            return ()
        if _is_hosts_row(row):
            return self._hosts.read(text, line)
        column = len(text) - len(text.lstrip()) + 1
        marker = _cosmetic_marker(row)
        if marker >= 0:
            raise RowError("a cosmetic, script or HTML rule: it changes pages, not names", column + marker)
        return (self._read_rule(row, column, line),)

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_rule(self, row: str, column: int, line: int) -> Rule:
        is_exception = row.startswith("@@")
        body = row[2:] if is_exception else row
        column += len(row) - len(body)
        pattern, modifiers_text = split_modifiers(body)
        modifiers = Modifiers()
        if modifiers_text is not None:
            modifiers = read_modifiers(modifiers_text, column + len(pattern) + 1, self._options, is_exception)
        if pattern.startswith("/") and pattern.endswith("/") and len(pattern) > 1:
            match, name = Match.REGEX, read_expression(pattern[1:-1], column, self._options)
        else:
            match, name = read_pattern(pattern, column, wide=self._options.local)
            if modifiers.condition is None and (is_too_short(pattern) or (match is Match.MASK and is_too_short(name))):
                raise RowError("too wide: it matches nearly every name", column)
        return Rule(
            match=match,
            name=name,
            action=modifiers.action(is_exception),
            important=modifiers.important,
            condition=modifiers.condition,
            rewrite=modifiers.rewrite,
            disables=modifiers.disables,
            line=line,
        )


def _is_comment(row: str) -> bool:
    """Return whether the row is empty, a comment (`!`, or `#` unless it begins a cosmetic rule) or a header."""
    if row.startswith("#"):
        return bool(_HEADING(row)) or not _COSMETIC.match(row)
    return not row or row.startswith("!") or (row.startswith("[") and row.endswith("]"))


def _is_hosts_row(row: str) -> bool:
    """Return whether the row is of a hosts file, or a name alone; `_ads_` and the like are parts of names, so masks."""
    first = row.split(maxsplit=1)[0]
    if is_address(first):
        return True
    if not row.isascii():
        return _MARKS.isdisjoint(row)
    return bool(_PLAIN_ROW(row.lower())) and ("_" not in first or "." in first.rstrip("."))


def _cosmetic_marker(row: str) -> int:
    """Return where the marker of a cosmetic, script or HTML rule stands, or -1."""
    if row.startswith(("/", "@@/")):
        return -1
    found = _COSMETIC.search(row)
    # `||x^$$` is a rule with an odd modifier; only after a plain domain does `$$` begin an HTML rule.
    return -1 if not found or (found[0].startswith("$") and row.startswith(("|", "@@"))) else found.start()
