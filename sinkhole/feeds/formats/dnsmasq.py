"""Configuration of dnsmasq: `address=/x/…`, `local=/x/` and `server=/x/` block x and all names below it."""

import re
from collections.abc import Sequence

from sinkhole.feeds.formats.answer import address_rewrite
from sinkhole.feeds.hostname import is_address, read_name
from sinkhole.feeds.row import ReadOptions, RowError, reject
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction

_SETTING = re.compile(r"[ \t]*(address|local|server)[ \t]*=[ \t]*/(.*)/([^/]*)\Z").match
_COMMENT = re.compile(r"(?:\A|[ \t]+)#.*\Z").sub


class DnsmasqReader:
    """Reads the settings that block. `#` and no address at all mean the null address and NXDOMAIN (dnsmasq(8)).

    An address chooses an answer, so it rewrites in a local list and only blocks in a remote one. `server=/x/ADDRESS`
    sends queries elsewhere and blocks nothing.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._local = options.local

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return a rule for each name between the slashes."""
        row = _COMMENT("", text)
        if not row.strip():
            return ()
        setting = _SETTING(row)
        if not setting:
            raise RowError("a setting of dnsmasq that blocks no name", len(row) - len(row.lstrip()) + 1)
        word, names, target = setting[1], setting[2], setting[3].strip()
        if word != "address" and target:
            raise RowError("a forward to another server, not a block", setting.start(3) + 1)
        rewrite = self._read_target(target, setting.start(3) + 1)
        found: list[Rule | Rejection] = []
        column = setting.start(2) + 1
        for name in names.split("/"):
            try:
                found.append(self._read_name(name, column, rewrite, line))
            except RowError as error:
                found.append(reject(error, text, line))
            column += len(name) + 1
        return found

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing: every row stands alone."""
        return ()

    def _read_target(self, target: str, column: int) -> str | None:
        """Return the rewrite that an address asks for, None for a plain block."""
        if target in ("", "#"):
            return None
        if not is_address(target):
            raise RowError(f"wanted an address, # or nothing; found {target!r}", column)
        return address_rewrite(target, local=self._local)

    def _read_name(self, text: str, column: int, rewrite: str | None, line: int) -> Rule:
        if text == "#":
            raise RowError("too wide: it matches every name", column)
        name = read_name(text.removeprefix("."), column, wide=self._local)
        action = RuleAction.BLOCK if rewrite is None else RuleAction.REWRITE
        return Rule(Match.SUFFIX, name, action, rewrite=rewrite, line=line)
