"""Configuration of Unbound: `local-zone` of a blocking type (x and below), `local-data` with addresses (x alone)."""

import re
from collections.abc import Sequence
from typing import Final

from sinkhole.feeds.formats.answer import address_rewrite
from sinkhole.feeds.hostname import is_address, read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction

_SETTING = re.compile(r"[ \t]*([a-z-]+):[ \t]*(.*?)[ \t]*(?:(?<!\S)#.*)?\Z").match
_ZONE = re.compile(r"(?:\"([^\"]*)\"|([^\s\"]+))\s+\"?([a-z_]+)\"?\Z").match
_BLOCKING: Final = frozenset({
    "static", "deny", "refuse", "redirect", "always_nxdomain", "always_nodata", "always_null", "always_refuse",
    "always_deny", "inform_deny", "inform_redirect",
})  # fmt: skip
"""Zone types that answer nothing true (unbound.conf(5)); the others let data through."""


class UnboundReader:
    """Reads the settings that block; a section's heading, such as `server:`, says nothing by itself.

    Data of a remote list never choose an answer: an address there blocks.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._local = options.local

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the one rule of the row."""
        if not text.strip() or text.lstrip().startswith("#"):
            return ()
        setting = _SETTING(text)
        if not setting:
            raise RowError("wanted NAME: VALUE", len(text) - len(text.lstrip()) + 1)
        word, value, column = setting[1], setting[2], setting.start(2) + 1
        if word == "local-zone":
            return (self._read_zone(value, column, line),)
        if word == "local-data":
            return (self._read_data(value, column, line),)
        if word == "server" and not value:
            return ()
        raise RowError("a setting of Unbound that blocks no name", setting.start(1) + 1)

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_zone(self, value: str, column: int, line: int) -> Rule:
        zone = _ZONE(value)
        if not zone:
            raise RowError('wanted local-zone: "NAME" TYPE', column)
        if zone[3] not in _BLOCKING:
            raise RowError(f"a zone of type {zone[3]} blocks nothing", column + zone.start(3))
        name = zone[1] if zone[1] is not None else zone[2]
        at = column + zone.start(1 if zone[1] is not None else 2)
        return Rule(Match.SUFFIX, read_name(name, at, wide=self._local), line=line)

    def _read_data(self, value: str, column: int, line: int) -> Rule:
        fields = value.strip("\"'").split()
        if len(fields) < 3:
            raise RowError('wanted local-data: "NAME [TTL] [IN] TYPE DATA"', column)
        rtype, data = fields[-2].upper(), fields[-1]
        if rtype not in ("A", "AAAA") or not is_address(data):
            raise RowError("local data other than an address block no name", column)
        name = read_name(fields[0], column + value.index(fields[0]), wide=self._local)
        rewrite = address_rewrite(data, local=self._local)
        action = RuleAction.BLOCK if rewrite is None else RuleAction.REWRITE
        return Rule(Match.EXACT, name, action, rewrite=rewrite, line=line)
