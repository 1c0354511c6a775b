"""What ties a name to a subject of policy, and what of it the lists bring."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sinkhole.policy.entry import CatalogueEntry
from sinkhole.policy.image import Found, ListedFeed
from sinkhole.policy.judge import Outcome, judge
from sinkhole.policy.row import rule_text
from sinkhole.policy.rule import Rule, RuleAction
from sinkhole.policy.standing import Standings
from sinkhole.policy.verdict import Action


class Asked(NamedTuple):
    """The query, as far as policy may depend on it; `name` is folded. (A tuple: one is made for most queries.)"""

    name: bytes
    qtype: int
    client: str | None
    when: datetime


class Evidence(NamedTuple):
    """A domain of the catalogue, a row of a list, or the name itself, and the row in words.

    A tuple, not a dataclass, because one is made for every blocked query and a frozen dataclass takes 1 µs more.
    """

    rule: str
    entry: CatalogueEntry | None = None
    feed: ListedFeed | None = None
    outcome: Outcome | None = None

    @property
    def is_ai(self) -> bool:
        """Whether the subject `ai` reaches it."""
        return (self.entry is not None and self.entry.is_default) or (self.feed is not None and self.feed.part_of_ai)

    @property
    def is_exception(self) -> bool:
        """Whether it is a row that lifts others."""
        return self.outcome is not None and self.outcome.action is RuleAction.ALLOW

    @property
    def subject(self) -> str:
        """The subject that is the list alone; empty where it comes from no list."""
        return f"feed:{self.feed.name}" if self.feed is not None else ""


class Listed(NamedTuple):
    """What the lists say: `judged` all of them, `blocking` what counts, `lifting` the exception that beats them."""

    judged: Sequence[Evidence] = ()
    blocking: Sequence[Evidence] = ()
    lifting: Evidence | None = None


NOT_LISTED = Listed()


def judge_lists(asked: Asked, found: Found, standings: Standings, feeds: Sequence[ListedFeed]) -> Listed:
    """Judge a name by each list that has rows for it. On a protected name, no row counts."""
    judged = []
    has_exception = False
    for number, rules in sorted(found.rows.items()) if len(found.rows) > 1 else found.rows.items():
        outcome = judge(rules, asked.name, asked.qtype, asked.client)
        if outcome is not None:
            judged.append(Evidence(rule_text(outcome.rule), None, feeds[number], outcome))
            has_exception = has_exception or outcome.action is RuleAction.ALLOW
    if found.is_protected:
        return Listed(judged)
    if not has_exception:
        return Listed(judged, judged)
    blocking = [evidence for evidence in judged if not evidence.is_exception]
    lifting = _lifting(judged, standings, asked.when)
    return Listed(judged, () if lifting else blocking, lifting)


def judge_networks(
    rules: Mapping[int, Rule],
    names: Sequence[tuple[Asked, Found | None]],
    standings: Standings,
    feeds: Sequence[ListedFeed],
    when: datetime,
) -> Sequence[Evidence]:
    """Judge an address by each list that has a row for it; return what counts.

    A row of a list about the name goes before its rows about addresses, as in a policy zone: where a list lets the name
    through, none of its own counts.

    Args:
        rules: the row of each list, by its number.
        names: what was asked for, and what the compiled names know of it.
    """
    spared: set[ListedFeed] = set()
    for asked, found in names:
        if found is not None:
            listed = judge_lists(asked, found, standings, feeds)
            if found.is_protected or listed.lifting:
                return ()
            spared.update(evidence.feed for evidence in listed.judged if evidence.is_exception and evidence.feed)
    judged = [
        Evidence(rule_text(rule), None, feeds[number], Outcome(rule.action, rule))
        for number, rule in sorted(rules.items())
    ]
    if _lifting(judged, standings, when):
        return ()
    return [evidence for evidence in judged if not evidence.is_exception and evidence.feed not in spared]


def _lifting(judged: Sequence[Evidence], standings: Standings, when: datetime) -> Evidence | None:
    """Return the exception of a local list, the administrator's own word, which beats every list (R-B08).

    It counts where that list does: where a statement puts it in force.
    """
    for evidence in judged:
        if evidence.is_exception and evidence.feed and evidence.feed.local and _is_in_force(evidence, standings, when):
            return evidence
    return None


def _is_in_force(evidence: Evidence, standings: Standings, when: datetime) -> bool:
    for key in (evidence.subject, "ai") if evidence.is_ai else (evidence.subject,):
        for standing in standings.by_key.get(key, ()):
            if standing.holds(when):
                return standing.statement.action is not Action.ALLOW
    return False
