"""What overrides make of an ordinary verdict, and what is told of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from sinkhole.policy.evidence import Evidence
from sinkhole.policy.matches import Level
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.standing import Key, StandingOverrides
from sinkhole.policy.verdict import Action, Loser, Verdict


class _Acting(NamedTuple):
    """An override that has something to say of a name, the subject by which it reaches it, and what ties them."""

    override: Override
    subject: str | None = None
    evidence: Evidence | None = None

    @property
    def action(self) -> Action:
        return Action.BLOCK if self.override.kind is OverrideKind.LOCKDOWN else Action.MONITOR


def overrule(
    verdict: Verdict, levels: Iterable[Level], overrides: StandingOverrides, when: datetime, *, explain: bool
) -> Verdict:
    """Return what is done in the end: `verdict`, or what the strongest override that reaches the name says.

    Args:
        verdict: the ordinary one.
        levels: the subjects that reach the name, those of overrides with them, the most specific first.
        overrides: those of the client's scope.
        explain: add to the losers the ordinary verdict and the overrides that were outranked.
    """
    if not verdict.is_blocked and not overrides.has_lockdown:
        return verdict
    acting = _acting(verdict, _reach(levels), overrides, when)
    first = next(acting, None)
    if first is None:
        return verdict
    losers = (*_ordinary(verdict, first), *_outranked(first, acting), *verdict.losers) if explain else ()
    return _said(verdict, first, losers)


def _reach(levels: Iterable[Level]) -> Mapping[Key, Evidence]:
    """Return what ties the name to each subject that reaches it, the most specific first."""
    found: dict[Key, Evidence] = {}
    for level in levels:
        for key, evidence in level:
            found.setdefault(key, evidence)
    return found


def _acting(
    verdict: Verdict, reach: Mapping[Key, Evidence], overrides: StandingOverrides, when: datetime
) -> Iterator[_Acting]:
    """Yield those that hold, reach the name and would change the verdict, the strongest first."""
    places = set(overrides.everywhere).union(*(overrides.by_key.get(key, ()) for key in reach))
    for place in sorted(places):
        override, subjects = overrides.ordered[place]
        if not override.holds(when) or (override.kind is not OverrideKind.LOCKDOWN and not verdict.is_blocked):
            continue
        if override.kind is OverrideKind.GRANT:
            if verdict.is_coached and verdict.subject in subjects.values():
                yield _Acting(override, verdict.subject)
        elif subjects:
            key = next(key for key in reach if key in subjects)
            yield _Acting(override, subjects[key], reach[key])
        else:
            yield _Acting(override)


def _said(verdict: Verdict, acting: _Acting, losers: tuple[Loser, ...]) -> Verdict:
    override = acting.override
    return replace(
        verdict, action=acting.action, subject=acting.subject or verdict.subject, scope=override.scope,
        statement=None, reason=override.reason, basis=None, until=override.ends, rewrite=(), override=override.name,
        losers=losers,
        **_facts(acting.evidence),
    )  # fmt: skip


def _facts(evidence: Evidence | None) -> dict[str, Any]:
    """Return what is told of the row by which the override reaches the name; the ordinary verdict told another or none.

    As arguments, since replacing a verdict twice would cost twice.
    """
    if evidence is None:
        return {}
    facts: dict[str, Any] = {"rule": evidence.rule}
    entry = evidence.entry
    if entry is not None:
        return facts | {
            "vendor": entry.vendor or None, "product": entry.product or None, "categories": entry.categories,
            "jurisdiction": entry.jurisdiction or None, "feed": None, "line": None,
        }  # fmt: skip
    if evidence.feed is not None and evidence.outcome is not None:
        return facts | {"feed": evidence.feed.name, "line": evidence.outcome.rule.line}
    return facts


def _ordinary(verdict: Verdict, acting: _Acting) -> Iterator[Loser]:
    """Yield the statement that would have decided, if any."""
    if verdict.subject is not None and verdict.scope is not None:
        why = f"{acting.override.name} goes before statements, until {acting.override.ends:%Y-%m-%d %H:%M %Z}"
        yield Loser(verdict.action, verdict.subject, verdict.scope, verdict.rule or "", why)


def _outranked(first: _Acting, rest: Iterable[_Acting]) -> Iterator[Loser]:
    for one in rest:
        is_same = one.action is first.action
        why = f"says the same as {first.override.name}" if is_same else f"{first.override.name} goes before it"
        about = " ".join(map(str, one.override.subjects)) or "everything"
        yield Loser(one.action, about, one.override.scope, one.override.name, why)
