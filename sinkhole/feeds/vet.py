"""Vet what a list says before it counts: no row takes what must stay, and no update changes too much (R-F06, R-F07)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sinkhole.config.schema import FeedSettings
from sinkhole.policy.mask import compile_mask
from sinkhole.policy.pattern import PatternSet
from sinkhole.policy.rule import Match, Rule, RuleAction

MAX_REJECTED_SHARE: Final = 0.5
"""Of the rows that are no comments. Beyond it the list is likely of another format than it is read as."""


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


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of a list: `rules` that differ, and `rejected` rows."""

    rules: int
    rejected: int


def doubts(new: Count, last_good: Count | None, settings: FeedSettings) -> tuple[str, ...]:
    """Return the reasons to hold an update until someone approves of it; none to take it over.

    Args:
        new: of the list that was fetched; it has rules.
        last_good: of the list in force; None for a first fetch, which has nothing to be compared with.
        settings: the limits.
    """
    found = []
    rows = new.rules + new.rejected
    if new.rejected > rows * MAX_REJECTED_SHARE:
        found.append(f"{new.rejected} of {rows} rows were rejected; is it of another format?")
    if last_good is not None and last_good.rules:
        lost = last_good.rules - new.rules
        if lost >= last_good.rules * settings.max_shrink:
            found.append(f"it shrank from {last_good.rules} to {new.rules} rules")
        if new.rules >= last_good.rules * settings.max_growth:
            found.append(f"it grew from {last_good.rules} to {new.rules} rules")
    return tuple(found)
