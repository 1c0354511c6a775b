"""What a change of policy would have done to the recorded queries of the last days: how many clients and attempts."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sinkhole.app.state import State
from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE, Scope, parse_client
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.store.tries import Asked, Span, Tries, TriesOf

DAYS = 7
_MAX_EDGES = 1000
"""Moments at which the policy changed by itself that are looked at, the latest; 7 days have 672 quarters of an hour."""


@dataclass(frozen=True, slots=True)
class AskedImpact:
    """Recorded queries whose verdict would have been another: what it was, what it becomes, and how many."""

    was: str
    becomes: str
    tries: TriesOf

    def __str__(self) -> str:
        clients = "" if self.tries.clients is None else f"{_count(self.tries.clients, 'client')}, "
        tried = f"{clients}{_count(self.tries.attempts, 'attempt')} in the last {DAYS} days"
        return f"{tried} would have been {self.becomes}ed instead of {self.was}ed"


def asked_impact(state: State, before: Policy, after: Policy, now: datetime) -> list[AskedImpact]:
    """Return what would have been otherwise since a week ago, the most attempts first.

    Each query is judged as of its own time, so a schedule counts as it would have. Only recorded queries are known:
    by default those that are blocked, coached or monitored.
    """
    tries = Tries(state.store, state.settings.record.attempt_window)
    since = now - timedelta(days=DAYS)
    judges = _Judge(before, since, now), _Judge(after, since, now)
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for asked in tries.asked(int(since.timestamp()), by_minute=any(judge.edges for judge in judges)):
        was, becomes = (judge.verdict(asked) for judge in judges)
        if was is not None and becomes is not None and was.action is not becomes.action:
            found[str(was.action), str(becomes.action)].append(Span(asked, becomes.vendor or was.vendor))
    counted = [AskedImpact(*key, tries.count(spans, int(since.timestamp()))) for key, spans in found.items()]
    return sorted(counted, key=lambda one: (-one.tries.attempts, one.was, one.becomes))


class _Judge:
    """Verdicts of one policy on what was asked, each given once between two of the moments at which they change."""

    def __init__(self, policy: Policy, since: datetime, now: datetime) -> None:
        self._policy = policy
        self._scopes: dict[tuple[str, str | None], Scope] = {}
        self._verdicts: dict[tuple[Scope, str, int, int], Verdict | None] = {}
        self.edges = _edges(policy, since, now)

    def verdict(self, asked: Asked) -> Verdict | None:
        """Return the verdict, or None for a name that cannot be read."""
        scope = self._scope(asked.client, asked.group)
        key = (scope, asked.name, asked.qtype, bisect_right(self.edges, asked.minute))
        if key not in self._verdicts:
            self._verdicts[key] = self._decide(asked, scope)
        return self._verdicts[key]

    def _decide(self, asked: Asked, scope: Scope) -> Verdict | None:
        try:
            name = name_from_text(asked.name)
        except FormError:
            return None
        when = datetime.fromtimestamp(asked.minute * 60, UTC)
        return self._policy.decide(name, asked.qtype, scope, when)

    def _scope(self, client: str, group: str | None) -> Scope:
        key = (client, group)
        if key not in self._scopes:
            self._scopes[key] = self._scope_of(client, group)
        return self._scopes[key]

    def _scope_of(self, client: str, group: str | None) -> Scope:
        if parse_client(client) is not None:
            return self._policy.scope_of(client)
        # A pseudonym, or nothing: the group it was in is what is known.
        return (self._policy.scope_of_group(group) if group else None) or EVERYONE


def _edges(policy: Policy, since: datetime, now: datetime) -> Sequence[int]:
    """Return the minutes at which verdicts of the policy change between two times, in order."""
    edges: list[int] = []
    edge = policy.next_change(since)
    while edge is not None and edge <= now and len(edges) < _MAX_EDGES:
        edges.append(int(edge.timestamp()) // 60)
        edge = policy.next_change(edge)
    return edges


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
