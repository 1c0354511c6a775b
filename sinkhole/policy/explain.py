"""Why everything else that matched did not decide."""

from collections.abc import Iterator
from datetime import datetime

from sinkhole.policy.evidence import Evidence
from sinkhole.policy.matches import Chosen, Matches
from sinkhole.policy.standing import Standing, Standings
from sinkhole.policy.statement import Statement
from sinkhole.policy.verdict import Action, Loser


def losers_of(matches: Matches, standings: Standings, chosen: Chosen | None, when: datetime) -> Iterator[Loser]:
    """Yield each statement and row that matched and was outranked, the stronger first."""
    is_passed = False
    for level in matches.levels():
        told = set()
        for key, evidence in level:
            for standing in standings.by_key.get(key, ()):
                if standing.statement.id in told or (chosen and standing is chosen[0]):
                    continue
                told.add(standing.statement.id)
                yield _loser(standing, evidence, _why(standing, chosen, is_passed, when))
            if evidence.feed and isinstance(key, str) and key != "ai" and not standings.by_key.get(key):
                yield Loser(Action.BLOCK, key, "none", evidence.rule, f"no statement is about {key}")
        is_passed = is_passed or any(chosen and chosen[0] in standings.by_key.get(key, ()) for key, _ in level)
    yield from matches.dropped()


def _why(standing: Standing, chosen: Chosen | None, is_passed: bool, when: datetime) -> str:
    if not standing.holds(when):
        return _why_not_now(standing.statement, when)
    winner = chosen[0] if chosen else standing
    if is_passed:
        return f"{winner.statement.subject} is more specific"
    if winner.rank[0] != standing.rank[0]:
        return f"scope {winner.statement.scope} is more specific than {standing.statement.scope}"
    if winner.statement.action is not standing.statement.action:
        return f"{winner.statement.action} goes before {standing.statement.action}"
    return f"says the same as statement {winner.statement.id}"


def _why_not_now(statement: Statement, when: datetime) -> str:
    expires, schedule = statement.expires, statement.schedule
    if schedule is None or (expires is not None and expires <= when):
        return f"expired {expires:%Y-%m-%d %H:%M %Z}"
    begins = schedule.next_edge(when)
    if begins is None or (expires is not None and expires <= begins):
        return "outside its schedule (next: never)"
    return f"outside its schedule (next: {begins.astimezone(schedule.zone):%Y-%m-%d %H:%M %Z})"


def _loser(standing: Standing, evidence: Evidence, why: str) -> Loser:
    statement = standing.statement
    return Loser(statement.action, str(statement.subject), statement.scope, evidence.rule, why)
