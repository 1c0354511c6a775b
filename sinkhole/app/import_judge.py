"""What an import means, before it is made: its impact, the expectations it breaks, and where verdicts would differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.app.compiled import FeedInput
from sinkhole.app.expectations import names_in_force, policy_over
from sinkhole.app.impact import impact
from sinkhole.app.import_plan import Plan
from sinkhole.app.state import State, draft_with
from sinkhole.foreign.model import ForeignRule, Scope
from sinkhole.policy.engine import Policy
from sinkhole.policy.expectation import Broken, broken_of, newly_broken
from sinkhole.policy.feed import Feed
from sinkhole.policy.groups import EVERYONE
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.judge import judge
from sinkhole.policy.rule import Match, RuleAction
from sinkhole.policy.verdict import Action
from sinkhole.protocol.names import fold, name_from_text
from sinkhole.protocol.types import QType

_MOST_COMPARED = 2000
"""Rules whose own name is asked for, in each scope."""
_EXPECTED = {RuleAction.BLOCK: Action.BLOCK, RuleAction.ALLOW: Action.ALLOW}


@dataclass(frozen=True, slots=True)
class Judged:
    """What an import means: sentences on its impact, and the expectations that it breaks."""

    impact: tuple[str, ...]
    broken: tuple[Broken, ...]


def judge_import(state: State, plan: Plan, now: datetime) -> Judged:
    """Compare policy before and after; note the rules whose names get another verdict here than there."""
    lasting = state.lasting_overrides()  # `_draft` has them too: an import changes none
    before = policy_over(state, names_in_force(state), plan.before.statements, plan.before.groups, lasting)
    after = _draft(state, plan)
    groups = [group.name for group in (*plan.before.groups, *plan.after.groups)]
    expected = plan.before.expectations
    broken = newly_broken(broken_of(before, expected, now), broken_of(after, expected, now))
    _note_differences(plan, after, now)
    return Judged(tuple(impact(state, before, after, groups, now)), tuple(broken))


def _draft(state: State, plan: Plan) -> Policy:
    """Return the policy there will be, with the rows of the list files; those of remote lists are not known yet."""
    configured = {feed.name: feed for feed in plan.feeds}
    standing = [(configured.get(feed.name, feed), known) for feed, known in state.feeds.all()]
    lists = [
        FeedInput(FeedRules(file.feed, file.rules), f"import {file.name} {file.text}")
        for file in plan.files
        if file.feed.enabled
    ]
    return draft_with(state, standing, lists, plan.after.statements, plan.after.groups)


def _note_differences(plan: Plan, after: Policy, now: datetime) -> None:
    foreign = plan.foreign
    if foreign.is_off:
        return
    scopes: list[Scope] = [None, *(group.name for group in foreign.groups)]
    for scope in scopes:
        rules = [one for one in foreign.rules if scope in one.scopes and one.schedule is None]
        if not rules:
            continue
        name = plan.names.group(scope)
        here = (after.scope_of_group(name) if name else None) or EVERYONE
        for one, there in _verdicts_there(rules):
            verdict = after.decide(fold(name_from_text(one.rule.name)), QType.A, here, now)
            if (there is Action.BLOCK) is not (verdict.action is Action.BLOCK):
                who = "" if scope is None else f" for group {name}"
                decides = f"{verdict.subject} {verdict.action}" if verdict.subject else "no statement is about it"
                foreign.alter(one.place, one.rule.name, f"is {there} there, and {verdict.action} here{who}: {decides}")


def _verdicts_there(rules: Sequence[ForeignRule]) -> Iterator[tuple[ForeignRule, Action]]:
    """Yield rules on a name, and what all of them together say of that name."""
    index = NameIndex.from_rules([FeedRules(Feed("there", "file:there", local=True), [one.rule for one in rules])])
    for one in rules[:_MOST_COMPARED]:
        if one.rule.match not in (Match.EXACT, Match.SUFFIX) or one.rule.condition or one.rule.disables:
            continue
        name = fold(name_from_text(one.rule.name))
        found = index.find(name)
        outcome = judge(found.rows.get(0, []), name, QType.A) if found else None
        if outcome is not None and outcome.action in _EXPECTED:
            yield one, _EXPECTED[outcome.action]
