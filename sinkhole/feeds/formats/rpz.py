"""Response policy zones: the zone-file form of `draft-vixie-dnsop-dns-rpz`, triggers on names and on addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sinkhole.feeds.formats.answer import address_rewrite
from sinkhole.feeds.formats.rpz_address import LABEL, read_network
from sinkhole.feeds.formats.zone_file import Entry, ZoneFile
from sinkhole.feeds.hostname import is_address, read_name
from sinkhole.feeds.row import ReadOptions, RowError
from sinkhole.policy.rule import Match, Rejection, Rule, RuleAction

_OTHER_TRIGGERS: Final = ("rpz-client-ip", "rpz-nsdname", "rpz-nsip")
_BLOCKS: Final = (".", "*.", "rpz-drop.")
"""NXDOMAIN, NODATA and silence: our own answer for blocked names stands for all three."""
_LOCAL_DATA: Final = frozenset({
    "A", "AAAA", "TXT", "MX", "SRV", "PTR", "HTTPS", "SVCB", "CAA", "DNAME", "NAPTR", "TLSA", "SSHFP", "HINFO", "URI",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Effect:
    action: RuleAction
    rewrite: str | None = None


class RpzReader:
    """Reads the records of a policy zone. `x` is exact, `*.x` all below it, as the draft says (section 4.2).

    Local data and redirects choose an answer: a remote list only blocks with them, a local list rewrites with
    addresses and CNAMEs. `rpz-passthru.` lets through within this list.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._local = options.local
        self._zone = ZoneFile()

    def read(self, text: str, line: int) -> Sequence[Rule | Rejection]:
        """Return the rule of the record that ends on this row, if it is a trigger."""
        entry = self._zone.read(text)
        return self._read_entry(entry, line) if entry else ()

    def finish(self, line: int) -> Sequence[Rule | Rejection]:
        """Return nothing; raises RowError for a bracket left open."""
        self._zone.finish()
        return ()

    def _read_entry(self, entry: Entry, line: int) -> Sequence[Rule | Rejection]:
        # The apex holds SOA and NS, which say nothing about any name.
        if entry.rtype in ("SOA", "NS") or entry.owner in ("", "@"):
            return ()
        if entry.rtype not in _LOCAL_DATA and entry.rtype != "CNAME":
            raise RowError(f"a record of type {entry.rtype[:20]!r}, which no policy zone has")
        if entry.owner.lower().endswith("." + LABEL):
            return (self._read_address(entry, line),)
        label = next((kind for kind in _OTHER_TRIGGERS if entry.owner.lower().endswith("." + kind)), None)
        if label:
            raise RowError(f"a trigger of type {label}: only names asked and addresses in answers are looked at")
        if "\\" in entry.owner:
            raise RowError("an escaped character, which no host name has", entry.owner.index("\\") + 1)
        is_below = entry.owner.startswith("*.")
        start = 2 if is_below else 0
        name = read_name(entry.owner[start:], start + 1, wide=self._local)
        effect = self._read_effect(entry, name)
        match = Match.BELOW if is_below else Match.EXACT
        return (Rule(match, name, effect.action, rewrite=effect.rewrite, line=line),)

    def _read_address(self, entry: Entry, line: int) -> Rule:
        """Return the rule of a trigger on addresses, which blocks or lets through: it never chooses an answer."""
        network = read_network(entry.owner[: -len(LABEL) - 1], wide=self._local)
        is_exception = self._read_effect(entry, "").action is RuleAction.ALLOW
        action = RuleAction.ALLOW if is_exception else RuleAction.BLOCK
        return Rule(Match.ADDRESS, network, action, line=line)

    def _read_effect(self, entry: Entry, name: str) -> _Effect:
        block = _Effect(RuleAction.BLOCK)
        if entry.rtype == "CNAME":
            return self._read_cname(entry.data.lower(), name)
        if entry.rtype not in ("A", "AAAA"):
            return block
        if not is_address(entry.data):
            raise RowError(f"wanted an address, found {entry.data!r}")
        rewrite = address_rewrite(entry.data, local=self._local)
        return block if rewrite is None else _Effect(RuleAction.REWRITE, rewrite)

    def _read_cname(self, target: str, name: str) -> _Effect:
        if target in _BLOCKS:
            return _Effect(RuleAction.BLOCK)
        # Before rpz-passthru a CNAME of a name to itself said the same (section 6.6 of the draft).
        if target in ("rpz-passthru.", name + "."):
            return _Effect(RuleAction.ALLOW)
        if target == "rpz-tcp-only.":
            raise RowError("rpz-tcp-only sends clients to TCP and blocks nothing")
        if not self._local or target.startswith("*."):
            return _Effect(RuleAction.BLOCK)
        return _Effect(RuleAction.REWRITE, "CNAME " + read_name(target, wide=True))
