"""Add and remove statements of policy, as the command line and the admin side do it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sinkhole.app.coach import unseen
from sinkhole.app.expectations import gated
from sinkhole.app.gaps import gap_of
from sinkhole.app.state import State
from sinkhole.app.subject_in import subject_in
from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.public_suffix import is_public_suffix
from sinkhole.resolver.blocked import block_answer

Times = Schedule | Literal["always", "any"]
"""Which of the statements on one subject and scope is meant."""


class TimeError(PolicyError):
    """An end or a schedule is of no use; `of` says which."""

    def __init__(self, of: Literal["until", "schedule"], said: str) -> None:
        super().__init__(said)
        self.of = of


@dataclass(frozen=True, slots=True)
class Wish:
    """A statement as somebody writes it: subject and schedule are text, `expires` is an aware time."""

    subject: str
    action: Action
    group: str | None = None
    reason: str | None = None
    owner: str | None = None
    ticket: str | None = None
    expires: datetime | None = None
    schedule: str | None = None
    basis: Basis | None = None


def read_wish(state: State, wish: Wish) -> Statement:
    """Return the statement that is wanted.

    Raises:
        TimeError: it would never hold.
        PolicyError: its subject or schedule cannot be read, or it has a basis and does not block.
    """
    expires = wish.expires.astimezone(UTC) if wish.expires else None
    if expires and expires <= datetime.now(UTC):
        raise TimeError("until", f"{expires.astimezone():%Y-%m-%d %H:%M} is in the past")
    times = schedule_from_text(wish.schedule) if wish.schedule is not None else None
    if times is not None:
        _expect_to_come(times, expires)
    if wish.basis is not None and wish.action <= Action.MONITOR:
        raise PolicyError(f"a basis is of a block; {wish.action} has none")
    about = subject_in(state, wish.subject)
    return Statement(
        0, about, wish.action, wish.group, wish.reason, wish.owner, wish.ticket, expires, times, wish.basis
    )


def store_statement(state: State, wanted: Statement, *, force: bool = False) -> Statement:
    """Add a statement, or replace that on the same subject, scope and schedule; return it as stored.

    Raises:
        BrokenExpectationError: it would break an expectation; nothing is changed.
        PolicyError: there is no such group.
    """
    with gated(state, force=force):
        return state.policy.put(wanted)


def replace_statement(state: State, before: Statement, wanted: Statement, *, force: bool = False) -> Statement:
    """Put a statement in the place of another, which may be on another subject, scope or schedule; return it as stored.

    Raises:
        BrokenExpectationError: it would break an expectation; nothing is changed.
        PolicyError: there is no such group, or the other is not there.
    """
    with gated(state, force=force):
        return put_in_place(state, before, wanted)


def put_in_place(state: State, before: Statement, wanted: Statement) -> Statement:
    """Do it without judging it."""
    if (before.subject, before.group, before.schedule) != (wanted.subject, wanted.group, wanted.schedule):
        state.policy.remove(before.subject, before.group, before.schedule or "always")
    return state.policy.put(wanted)


def remove_statement(
    state: State, subject: Subject, group: str | None, times: Times = "any", *, force: bool = False
) -> Statement:
    """Remove the statement on a subject and scope, and return it.

    Raises:
        BrokenExpectationError: it would break an expectation; nothing is changed.
        PolicyError: there is none, or several from which to choose.
    """
    with gated(state, force=force):
        return state.policy.remove(subject, group, times)


def times_from_text(schedule: str | None) -> Times:
    """Read which of the statements on one subject and scope is meant: by its schedule, `always`, or None: the only."""
    if schedule is None:
        return "any"
    return "always" if schedule.strip().lower() == "always" else schedule_from_text(schedule)


def warning_before(wanted: Statement) -> str | None:
    """Say what is to be known before a statement is stored."""
    about = wanted.subject
    if about.kind is SubjectKind.DOMAIN and wanted.action >= Action.COACH and is_public_suffix(about.value):
        return f"{about.value} is a public suffix: all names below it are hit"
    return None


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is to be known of a statement that was stored: notes, and warnings that it does not do what it says."""

    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def remarks_on(state: State, stored: Statement) -> Remarks:
    """Return what is to be known of a statement that was stored."""
    gap = gap_of(stored.subject, state.catalogue().catalogue) if stored.action is not Action.ALLOW else None
    outranked = [
        f"{other.action} {other.subject} for {other.scope} holds at all times and goes before {stored.action}"
        for other in _outranking(stored, state.policy.statements())
    ]
    hidden = unseen([stored], state.policy.groups(), block_answer(state.settings.blocking))
    return Remarks((*([gap] if gap else []), *outranked), tuple(hidden))


def _expect_to_come(schedule: Schedule, expires: datetime | None) -> None:
    now = datetime.now(UTC)
    begins = now if schedule.holds(now) else schedule.next_edge(now)
    if begins is None or (expires is not None and expires <= begins):
        raise TimeError("schedule", f"{schedule} does not hold from now on")


def _outranking(stored: Statement, statements: Sequence[Statement]) -> list[Statement]:
    """Return what leaves a statement with a schedule no effect: a stricter one without, on its subject and scope."""
    same, now = (stored.subject, stored.group, None), datetime.now(UTC)
    rivals = [s for s in statements if (s.subject, s.group, s.schedule) == same and s.action > stored.action]
    return [s for s in rivals if s.holds(now)]
