"""What no remote list may take: names that are never blocked, where lists and answers come from, our own (R-F07)."""

import ipaddress
from collections.abc import Iterable

from yarl import URL

from sinkhole.feeds.hostname import is_address
from sinkhole.policy.feed import Feed
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.pattern import PatternSet
from sinkhole.policy.rule import Match, Rule, RuleAction


class Guard:
    """The names and addresses that no remote list may take.

    Args:
        never_block: names of the catalogue that nothing may block.
        hosts: where lists, this one among them, and answers come from.
        addresses: of this server and of those it asks.
    """

    def __init__(
        self, never_block: Iterable[str] = (), hosts: Iterable[str] = (), addresses: Iterable[str] = ()
    ) -> None:
        self.never_block = frozenset(name.lower().rstrip(".") for name in never_block)
        self.hosts = frozenset(name.lower().rstrip(".") for name in hosts)
        self.addresses = frozenset(addresses)
        self._names = self.never_block | self.hosts
        # A row for a parent of a name would take the name too: one look-up instead of a walk over all names.
        self._below: dict[str, str] = {}
        for name in sorted(self._names):
            parent = name
            while "." in parent:
                parent = parent.partition(".")[2]
                self._below.setdefault(parent, name)

    def with_hosts(self, hosts: Iterable[str]) -> "Guard":
        """Return a guard of more hosts."""
        return Guard(self.never_block, self.hosts | frozenset(hosts), self.addresses)

    def objection(self, rule: Rule) -> str | None:
        """Return why a remote list must not have this rule, or None."""
        if rule.action is RuleAction.ALLOW or rule.disables:
            return None
        if rule.match is Match.ADDRESS:
            return self._objection_to_network(rule.name)
        name = self._taken_by(rule)
        if name is None:
            return None
        whose = "where lists or answers are fetched from" if name in self.hosts else "which is never blocked"
        return f"protected: it would block {name}, {whose}"

    def _objection_to_network(self, text: str) -> str | None:
        network = ipaddress.ip_network(text)
        found = next((one for one in sorted(self.addresses) if ipaddress.ip_address(one) in network), None)
        return found and f"protected: it would block {found}, which this server answers with or asks"

    def _taken_by(self, rule: Rule) -> str | None:
        if rule.match in (Match.EXACT, Match.SUFFIX) and rule.name in self._names:
            return rule.name
        if rule.match in (Match.SUFFIX, Match.BELOW):
            return self._below.get(rule.name)
        if rule.match in (Match.MASK, Match.REGEX):
            expression = compile_mask(rule.name).expression if rule.match is Match.MASK else rule.name
            pattern = PatternSet([expression])
            return next((name for name in sorted(self._names) if pattern.search(name)), None)
        return None


def feed_hosts(feeds: Iterable[Feed]) -> frozenset[str]:
    """Return the host names that feeds are fetched from: none of them may take another's away."""
    found = set()
    for feed in feeds:
        try:
            found.add(URL(feed.url).raw_host or "")
        except ValueError:
            continue  # its sync will say so
    return frozenset(host for host in found if host and not is_address(host))
