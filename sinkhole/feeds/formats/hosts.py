"""Hosts files: `ADDRESS NAME [NAME …] [# comment]`; each name exact, whatever the address (R-L01, R-L02)."""

import re
from collections.abc import Sequence

from sinkhole.feeds.hostname import LOCAL_NAMES, PLAIN_NAME, admit, is_address, read_name
from sinkhole.feeds.row import ReadOptions, RowError, reject
from sinkhole.policy.rule import Match, Rejection, Rule

_ORDINARY = re.compile(rf"(?:0\.0\.0\.0|127\.0\.0\.1)[ \t]+({PLAIN_NAME})[ \t]*\Z").match
_FIELD = re.compile(r"\S+").finditer


class HostsReader:
    """Reads hosts rows. The address is never an answer: as in every peer, a name in a blocklist is blocked.

    Rows of the machine itself (`127.0.0.1 localhost`) say nothing, as a comment does. A row with a name alone, as
    some lists mix them in, is exact too.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._wide = options.local

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return a rule for each name of the row; one bad name does not spoil its neighbours."""
        ordinary = _ORDINARY(text)
        if ordinary and ordinary[1] not in LOCAL_NAMES:
            return (Rule(Match.EXACT, admit(ordinary[1], ordinary.start(1) + 1, wide=self._wide), line=line),)
        if text.startswith("!"):
            return ()
        fields = [(found[0], found.start() + 1) for found in _FIELD(text.partition("#")[0])]
        if not fields:
            return ()
        if is_address(fields[0][0]):
            fields = fields[1:]
            if not fields:
                raise RowError("an address without a name", len(text) + 1)
        elif len(fields) > 1:
            raise RowError(f"wanted an address, found {fields[0][0]!r}", fields[0][1])
        return [self._read_name(name, column, text, line) for name, column in fields if name.lower() not in LOCAL_NAMES]

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_name(self, name: str, column: int, text: str, line: int) -> Rule | Rejection:
        try:
            return Rule(Match.EXACT, read_name(name, column, wide=self._wide), line=line)
        except RowError as error:
            return reject(error, text, line)
