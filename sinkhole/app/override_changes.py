"""Begin and end pauses and lockdowns, and end grants, as the command line and the admin side do it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sinkhole.app.state import State
from sinkhole.app.subject_in import expect_group
from sinkhole.errors import PolicyError
from sinkhole.policy.override import Override, OverrideKind, scope_in_words
from sinkhole.policy.subject import Subject, SubjectKind

MOST = {OverrideKind.PAUSE: timedelta(days=7), OverrideKind.LOCKDOWN: timedelta(days=31)}
"""What is to last longer is a statement, an exception or a schedule."""


def begin_override(
    state: State, kind: OverrideKind, subjects: Sequence[Subject], group: str | None, ends: datetime,
    reason: str | None,
) -> Override:  # fmt: skip
    """Begin a pause or a lockdown for all or a group, and return it.

    Args:
        subjects: none for everything; for a lockdown that is AI, what imitates it, and each way round policy.

    Raises:
        PolicyError: there is no such group, or it ends too far ahead, or has ended.
    """
    expect_group(state, group)
    now = datetime.now(UTC)
    if not now < ends <= now + MOST[kind]:
        raise PolicyError(f"a {kind} ends within {MOST[kind].days} days; what is to last longer is a statement")
    about = tuple(subjects)
    if kind is OverrideKind.LOCKDOWN and not about:
        about = _everything(state)
    return state.overrides.begin(Override(kind, 0, about, ends, group=group, reason=reason, owner=state.who), now)


def end_overrides(state: State, kind: OverrideKind, group: str | None) -> tuple[Override, ...]:
    """End those of all or of a group, and return them.

    Raises:
        PolicyError: there is none; those of other scopes are told.
    """
    now = datetime.now(UTC)
    ended = state.overrides.end(lambda one: one.kind is kind and one.group == group, now)
    if not ended:
        scopes = sorted({one.scope for one in state.overrides.in_force(now) if one.kind is kind})
        others = f"; there is one for {', '.join(scopes)}" if scopes else ""
        raise PolicyError(f"there is no {kind} for {scope_in_words(None, group)}{others}")
    return ended


def end_override(state: State, kind: OverrideKind, number: int) -> Override:
    """End the one of a number, and return it.

    Raises:
        PolicyError: there is none.
    """
    ended = state.overrides.end(lambda one: one.kind is kind and one.id == number, datetime.now(UTC))
    if not ended:
        raise PolicyError(f"there is no {kind} {number}")
    return ended[0]


def _everything(state: State) -> tuple[Subject, ...]:
    ways = [Subject(SubjectKind.BYPASS, way.id) for way in state.catalogue().catalogue.bypass]
    return (Subject(SubjectKind.AI), Subject(SubjectKind.LOOKALIKES), *ways)
