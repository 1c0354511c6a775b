"""What overrides make of an ordinary verdict, and what is told of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sinkhole.policy.evidence import Evidence
from sinkhole.policy.matches import Level
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.standing import Key, StandingOverride
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
    verdict: Verdict, levels: Iterable[Level], overrides: Sequence[StandingOverride], when: datetime, *, explain: bool
) -> Verdict:
    """Return what is done in the end: `verdict`, or what the strongest override that reaches the name says.

    Args:
        verdict: the ordinary one.
        levels: the subjects that reach the name, those of overrides with them, the most specific first.
        overrides: those of the client's scope, the strongest first.
        explain: add to the losers the ordinary verdict and the overrides that were outranked.
    """
    held = [one for one in overrides if one.override.holds(when)]
    if not held or not (verdict.is_blocked or held[0].override.kind is OverrideKind.LOCKDOWN):
        return verdict
    acting = list(_acting(verdict, _reach(levels), held))
    if not acting:
        return verdict
    losers = (*_ordinary(verdict, acting[0]), *_outranked(acting), *verdict.losers) if explain else ()
    return replace(_said(verdict, acting[0]), losers=losers)


def _reach(levels: Iterable[Level]) -> Mapping[Key, Evidence]:
    """Return what ties the name to each subject that reaches it, the most specific first."""
    found: dict[Key, Evidence] = {}
    for level in levels:
        for key, evidence in level:
            found.setdefault(key, evidence)
    return found


def _acting(verdict: Verdict, reach: Mapping[Key, Evidence], held: Sequence[StandingOverride]) -> Iterator[_Acting]:
    for override, subjects in held:
        if override.kind is not OverrideKind.LOCKDOWN and not verdict.is_blocked:
            continue
        if override.kind is OverrideKind.GRANT:
            if verdict.is_coached and verdict.subject in subjects.values():
                yield _Acting(override, verdict.subject)
        elif not subjects:
            yield _Acting(override)
        elif (key := next((key for key in reach if key in subjects), None)) is not None:
            yield _Acting(override, subjects[key], reach[key])


def _said(verdict: Verdict, acting: _Acting) -> Verdict:
    override = acting.override
    said = replace(
        verdict, action=acting.action, subject=acting.subject or verdict.subject, scope=override.scope,
        statement=None, reason=override.reason, rewrite=(), override=override.name,
    )  # fmt: skip
    return said if acting.evidence is None else _with_facts(said, acting.evidence)


def _with_facts(verdict: Verdict, evidence: Evidence) -> Verdict:
    """Tell by which row the override reaches the name; the ordinary verdict told another one, or none."""
    verdict = replace(verdict, rule=evidence.rule)
    if evidence.entry is not None:
        entry = evidence.entry
        return replace(
            verdict, vendor=entry.vendor or None, product=entry.product or None, categories=entry.categories,
            jurisdiction=entry.jurisdiction or None, feed=None, line=None,
        )  # fmt: skip
    if evidence.feed is not None and evidence.outcome is not None:
        return replace(verdict, feed=evidence.feed.name, line=evidence.outcome.rule.line)
    return verdict


def _ordinary(verdict: Verdict, acting: _Acting) -> Iterator[Loser]:
    """Yield the statement that would have decided, if any."""
    if verdict.subject is not None and verdict.scope is not None:
        why = f"{acting.override.name} goes before statements, until {acting.override.ends:%Y-%m-%d %H:%M %Z}"
        yield Loser(verdict.action, verdict.subject, verdict.scope, verdict.rule or "", why)


def _outranked(acting: Sequence[_Acting]) -> Iterator[Loser]:
    first, *rest = acting
    for one in rest:
        is_same = one.action is first.action
        why = f"says the same as {first.override.name}" if is_same else f"{first.override.name} goes before it"
        about = " ".join(map(str, one.override.subjects)) or "everything"
        yield Loser(one.action, about, one.override.scope, one.override.name, why)
