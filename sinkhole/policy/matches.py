"""What a name is, for policy: the subjects that reach it, the most specific kind first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import zip_longest

from sinkhole.policy.entry import CatalogueEntry
from sinkhole.policy.image import Found, ListedFeed
from sinkhole.policy.judge import Outcome, judge
from sinkhole.policy.row import rule_text
from sinkhole.policy.rule import RuleAction
from sinkhole.policy.standing import Key, Standing, Standings
from sinkhole.policy.vendor import DomainMatch
from sinkhole.policy.verdict import Action, Loser
from sinkhole.protocol.names import ROOT, name_to_text, parents_of

_NO_SCOPE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """The query, as far as rows of lists may depend on it. `name` is folded."""

    name: bytes
    qtype: int
    client: str | None
    when: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ties a name to a subject: a domain of the catalogue, a row of a list, or the name itself."""

    rule: str
    entry: CatalogueEntry | None = None
    feed: ListedFeed | None = None
    outcome: Outcome | None = None


Level = Sequence[tuple[Key, Evidence]]
"""Subjects that are equally specific."""
Chosen = tuple[Standing, Evidence]
"""The statement that decides, and what ties the name to it."""


class Matches:
    """Everything that may decide one query; lists are judged only when nothing more specific has decided."""

    def __init__(self, asked: Asked, found: Found | None, standings: Standings, feeds: Sequence[ListedFeed]) -> None:
        self._asked = asked
        self._found = found
        self._standings = standings
        self._feeds = feeds
        self.entries = _strongest(found) if found is not None else ()

    def levels(self) -> Iterator[Level]:
        """Yield the subjects that reach the name, the most specific first."""
        if self._standings.domains:
            for zone in parents_of(self._asked.name):
                if zone != ROOT and zone in self._standings.by_key:
                    yield [(zone, Evidence(f"{name_to_text(zone)} and below"))]
        named = [Evidence(entry.text, entry) for entry in self.entries]
        if len(named) == 1:
            for subjects in self.entries[0].levels:
                yield [(subject, named[0]) for subject in subjects]
        else:
            for level in zip_longest(*(entry.levels for entry in self.entries), fillvalue=()):
                yield [(s, evidence) for subjects, evidence in zip(level, named, strict=True) for s in subjects]
        listed = self.listed
        yield [(_feed_key(evidence), evidence) for evidence in listed]
        yield [("ai", e) for e in (*named, *listed) if _is_ai(e)]

    @cached_property
    def listed(self) -> Sequence[Evidence]:
        """The lists that would have the name blocked."""
        if self._is_protected or self._lifting:
            return ()
        return [evidence for evidence in self._judged if not _is_exception(evidence)]

    def dropped(self) -> Iterator[Loser]:
        """Yield matches that no statement can make count: the name is protected, or an exception lifts the row."""
        if self._found is not None:
            for entry in self._found.entries:
                if entry not in self.entries:
                    why = "the name is protected" if self._is_protected else "a more specific domain of the catalogue"
                    yield Loser(Action.BLOCK, f"product:{entry.product}", _NO_SCOPE, entry.text, why)
        for evidence in self._judged:
            if evidence not in self.listed:
                yield self._dropped_list(evidence)

    def _dropped_list(self, evidence: Evidence) -> Loser:
        if _is_exception(evidence):
            why = "an exception of a list lifts the rows of that list alone"
        elif self._is_protected:
            why = "the name is protected"
        else:
            why = f"lifted by {self._lifting.rule if self._lifting else ''} of a local list"
        action = Action.ALLOW if _is_exception(evidence) else Action.BLOCK
        return Loser(action, _feed_key(evidence), _NO_SCOPE, evidence.rule, why)

    @property
    def _is_protected(self) -> bool:
        return self._found is not None and self._found.is_protected

    @cached_property
    def _judged(self) -> Sequence[Evidence]:
        asked, judged = self._asked, []
        for number, rules in sorted(self._found.rows.items()) if self._found is not None else ():
            outcome = judge(rules, asked.name, asked.qtype, asked.client)
            if outcome is not None:
                judged.append(Evidence(rule_text(outcome.rule), None, self._feeds[number], outcome))
        return judged

    @cached_property
    def _lifting(self) -> Evidence | None:
        """An exception of a local list, which is the administrator's own word and so beats every list (R-B08).

        It counts where the list does, that is where a statement puts it in force.
        """
        for evidence in self._judged:
            if _is_exception(evidence) and evidence.feed and evidence.feed.local and self._is_in_force(evidence):
                return evidence
        return None

    def _is_in_force(self, evidence: Evidence) -> bool:
        keys = (_feed_key(evidence), "ai") if _is_ai(evidence) else (_feed_key(evidence),)
        for key in keys:
            for standing in self._standings.by_key.get(key, ()):
                if standing.holds(self._asked.when):
                    return standing.statement.action is not Action.ALLOW
        return False


def _strongest(found: Found) -> Sequence[CatalogueEntry]:
    entries = found.entries
    if found.is_protected:
        entries = [entry for entry in entries if entry.match is DomainMatch.EXACT]
    if len(entries) < 2:
        return entries
    return [entry for entry in entries if entry.rank == entries[0].rank]


def _is_exception(evidence: Evidence) -> bool:
    return evidence.outcome is not None and evidence.outcome.action is RuleAction.ALLOW


def _is_ai(evidence: Evidence) -> bool:
    if evidence.entry is not None:
        return evidence.entry.is_default
    return evidence.feed is not None and evidence.feed.part_of_ai


def _feed_key(evidence: Evidence) -> str:
    return f"feed:{evidence.feed.name}" if evidence.feed else ""
