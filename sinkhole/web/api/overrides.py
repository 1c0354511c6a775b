"""Pauses, lockdowns and grants: what goes before statements for a while."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from sinkhole.app.override_changes import begin_override, end_override
from sinkhole.app.state import State
from sinkhole.app.subject_in import subjects_in
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.web.model import Line, Model, Moment, Number, Page, Paged, Word, page_of
from sinkhole.web.problem import RequestError, not_found

Kinds = Literal["pause", "lockdown", "grant"]


class OverridePlace(Model):
    """A pause, lockdown or grant by its number."""

    kind: Kinds
    number: Number


class OverrideQuery(Paged):
    """Which of them."""

    kind: Kinds | None = Field(None, description="Only those of this kind.")


class OverrideBody(Model):
    """One to begin: give `minutes` or `ends`."""

    minutes: Annotated[int, Field(ge=1, le=44_640)] | None = None
    ends: Moment | None = None
    group: Word | None = Field(None, description="Only for clients of this group.")
    subjects: list[Word] = Field([], max_length=50, description="Only these; none: everything.")
    reason: Line | None = None

    def end(self) -> datetime:
        """Return when it ends.

        Raises:
            RequestError: none or both are given.
        """
        if (self.minutes is None) is (self.ends is None):
            raise RequestError(400, "body: wanted either minutes or ends")
        return self.ends or datetime.now(UTC) + timedelta(minutes=self.minutes or 0)


class OverrideShown(Model):
    """A pause, lockdown or grant that has not ended."""

    kind: str
    id: int
    subjects: list[str]
    scope: str
    client: str | None
    group: str | None
    begins: datetime | None
    ends: datetime
    reason: str | None
    owner: str | None

    @classmethod
    def of(cls, one: Override) -> "OverrideShown":
        """Return one."""
        return cls(
            kind=one.kind.value, id=one.id, subjects=list(map(str, one.subjects)), scope=one.scope, client=one.client,
            group=one.group, begins=one.begins, ends=one.ends, reason=one.reason, owner=one.owner,
        )  # fmt: skip


def list_overrides(state: State, query: OverrideQuery) -> Page[OverrideShown]:
    """List pauses, lockdowns and grants that have not ended."""
    found = [one for one in state.overrides.in_force(datetime.now(UTC)) if query.kind in (None, one.kind.value)]
    return page_of([OverrideShown.of(one) for one in found], query, lambda one: f"{one.kind}:{one.id}")


def pause(state: State, body: OverrideBody) -> OverrideShown:
    """Answer truly for a while what is blocked or coached; at most 7 days."""
    return _begin(state, OverrideKind.PAUSE, body)


def lockdown(state: State, body: OverrideBody) -> OverrideShown:
    """Block for a while, whatever else allows it; at most 31 days."""
    return _begin(state, OverrideKind.LOCKDOWN, body)


def end(state: State, place: OverridePlace) -> OverrideShown:
    """End a pause, lockdown or grant before its time."""
    known = state.overrides.in_force(datetime.now(UTC))
    if not any(one.kind.value == place.kind and one.id == place.number for one in known):
        raise not_found(f"{place.kind} {place.number}")
    return OverrideShown.of(end_override(state, OverrideKind(place.kind), place.number))


def _begin(state: State, kind: OverrideKind, body: OverrideBody) -> OverrideShown:
    subjects = subjects_in(state, body.subjects)
    return OverrideShown.of(begin_override(state, kind, subjects, body.group, body.end(), body.reason))
