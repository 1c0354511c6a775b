"""Exceptions: ask for one, approve or deny it, revoke it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sinkhole.app.exception_changes import (
    Request,
    approve_exception,
    deny_exception,
    put_exception,
    request_exception,
    revoke_exception,
)
from sinkhole.app.state import State
from sinkhole.policy.exception import MAX_AHEAD, ExceptionState, PolicyException
from sinkhole.web.model import Forced, Line, Model, Moment, Number, Page, Paged, Word, part_of, whole
from sinkhole.web.problem import not_found

Days = Annotated[int, Field(ge=1, le=MAX_AHEAD.days), BeforeValidator(whole)]
States = Literal["requested", "approved", "denied", "revoked", "expired"]


class ExceptionPlace(Model):
    """An exception by its number."""

    number: Number


class ExceptionQuery(Paged):
    """Which exceptions."""

    state: States | None = Field(None, description="Only those in this state; left out: all.")
    expiring: Days | None = Field(None, description="Only those approved that end within so many days.")


class ExceptionBody(Model):
    """An exception that is asked for."""

    subject: Word
    ends: Moment = Field(description="Within a year.")
    reason: Word
    client: Word | None = Field(None, description="Address of the one client it is for.")
    group: Word | None = Field(None, description="Group it is for; neither: for all.")
    owner: Line | None = Field(None, description="Who asks for it; whoever sends this, unless told.")
    ticket: Line | None = None

    def to_request(self) -> Request:
        """Return it as it is read."""
        return Request(self.subject, self.ends, self.reason, self.client, self.group, self.owner, self.ticket)


class ExceptionShown(Model):
    """An exception; `own`: who asked for it approved it."""

    id: int
    state: str
    subject: str
    scope: str
    client: str | None
    group: str | None
    reason: str
    owner: str
    ticket: str | None
    approver: str | None
    own: bool
    created: datetime | None
    decided: datetime | None
    expires: datetime

    @classmethod
    def of(cls, one: PolicyException) -> "ExceptionShown":
        """Return an exception as it stands now."""
        return cls(
            id=one.id, state=one.state_at(datetime.now(UTC)).value, subject=str(one.subject), scope=one.scope,
            client=one.client, group=one.group, reason=one.reason, owner=one.owner, ticket=one.ticket,
            approver=one.approver, own=one.is_own, created=one.created, decided=one.decided, expires=one.expires,
        )  # fmt: skip


def list_exceptions(state: State, query: ExceptionQuery) -> Page[ExceptionShown]:
    """List exceptions, the next to end first."""
    now = datetime.now(UTC)
    found = sorted(state.exceptions.all(), key=lambda one: (one.expires, one.id))
    if query.state is not None:
        found = [one for one in found if one.state_at(now) == query.state]
    if query.expiring is not None:
        ends = now + timedelta(days=query.expiring)
        found = [one for one in found if one.state_at(now) is ExceptionState.APPROVED and one.expires <= ends]
    shown, following = part_of(found, query, lambda one: str(one.id))
    return Page(items=[ExceptionShown.of(one) for one in shown], next=following)


def show_exception(state: State, place: ExceptionPlace) -> ExceptionShown:
    """Show an exception."""
    return ExceptionShown.of(_of(state, place))


def ask_for_exception(state: State, body: ExceptionBody) -> ExceptionShown:
    """Ask for an exception; it counts once it is approved."""
    return ExceptionShown.of(request_exception(state, body.to_request()))


def grant_exception(state: State, body: ExceptionBody, query: Forced) -> ExceptionShown:
    """Ask for an exception and approve it at once."""
    return ExceptionShown.of(put_exception(state, body.to_request(), force=query.force))


def approve(state: State, place: ExceptionPlace, query: Forced, notes: list[str]) -> ExceptionShown:
    """Approve a request; it takes the place of what was approved on the same subject for the same clients."""
    _of(state, place)
    stored = approve_exception(state, place.number, force=query.force)
    if stored.is_own:
        notes.append(f"{stored.owner} asked for it and approved it")
    return ExceptionShown.of(stored)


def deny(state: State, place: ExceptionPlace) -> ExceptionShown:
    """Turn a request down."""
    _of(state, place)
    return ExceptionShown.of(deny_exception(state, place.number))


def revoke(state: State, place: ExceptionPlace, query: Forced) -> ExceptionShown:
    """End an approved exception before its time."""
    _of(state, place)
    return ExceptionShown.of(revoke_exception(state, place.number, force=query.force))


def _of(state: State, place: ExceptionPlace) -> PolicyException:
    found = state.exceptions.find(place.number)
    if found is None:
        raise not_found(f"exception {place.number}")
    return found
