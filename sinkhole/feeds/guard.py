"""The names that no remote list may take: they are never blocked, or lists and answers come from there (R-F07)."""

from collections.abc import Iterable

from yarl import URL

from sinkhole.feeds.hostname import is_address
from sinkhole.policy.feed import Feed
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.pattern import PatternSet
from sinkhole.policy.rule import Match, Rule, RuleAction


class Guard:
    """The names that no remote list may take.

    Args:
        never_block: names of the catalogue that nothing may block.
        hosts: where lists, this one among them, and answers come from.
    """

    def __init__(self, never_block: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        self.never_block = frozenset(name.lower().rstrip(".") for name in never_block)
        self.hosts = frozenset(name.lower().rstrip(".") for name in hosts)
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
        return Guard(self.never_block, self.hosts | frozenset(hosts))

    def objection(self, rule: Rule) -> str | None:
        """Return why a remote list must not have this rule, or None."""
        if rule.action is RuleAction.ALLOW or rule.disables:
            return None
        name = self._taken_by(rule)
        if name is None:
            return None
        whose = "where lists or answers are fetched from" if name in self.hosts else "which is never blocked"
        return f"protected: it would block {name}, {whose}"

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
