"""Statements of policy: list, add, remove, and see before what a change would do."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from sinkhole.app.exception_changes import approve_exception, revoke_exception
from sinkhole.app.preview import preview
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.statement_changes import (
    Wish,
    read_wish,
    remarks_on,
    remove_statement,
    replace_statement,
    store_statement,
    warning_before,
)
from sinkhole.policy.basis import Basis
from sinkhole.policy.statement import Statement
from sinkhole.policy.verdict import Action
from sinkhole.web.actor import Actor
from sinkhole.web.model import Flag, Forced, Line, Model, Moment, Number, Page, Paged, Word, page_of
from sinkhole.web.problem import RequestError, not_found

_NOT_TOLD = "what it would have done to recorded queries is not told: that takes the right to report hits"
Verb = Literal["allow", "monitor", "coach", "block"]


class StatementBody(Model):
    """A statement to add; it takes the place of that on the same subject, group and schedule."""

    subject: Word = Field(description="As the command line takes it: vendor:deepseek, category:chat, ai, a word …")
    action: Verb
    group: Word | None = Field(None, description="Only for clients of this group.")
    reason: Line | None = None
    owner: Line | None = None
    ticket: Line | None = None
    expires: Moment | None = Field(None, description="When it ends by itself.")
    schedule: Word | None = Field(None, description="Only at these times: mon-fri 08:00-17:30 @Europe/Berlin.")
    basis: Literal["operator", "law", "request"] | None = Field(None, description="Who wants it; of a block.")

    def to_wish(self) -> Wish:
        """Return it as it is read."""
        return Wish(
            self.subject, Action.from_text(self.action), self.group, self.reason, self.owner, self.ticket, self.expires,
            self.schedule, None if self.basis is None else Basis(self.basis),
        )  # fmt: skip


class StatementShown(Model):
    """A statement."""

    id: int
    subject: str
    action: str
    scope: str
    group: str | None
    reason: str | None
    owner: str | None
    ticket: str | None
    expires: Moment | None
    schedule: str | None
    basis: str | None

    @classmethod
    def of(cls, one: Statement) -> "StatementShown":
        """Return a statement."""
        return cls(
            id=one.id, subject=str(one.subject), action=str(one.action), scope=one.scope, group=one.group,
            reason=one.reason, owner=one.owner, ticket=one.ticket, expires=one.expires,
            schedule=None if one.schedule is None else str(one.schedule), basis=one.basis,
        )  # fmt: skip


class StatementPlace(Model):
    """A statement by its number."""

    number: Number


class StatementQuery(Paged):
    """Which statements."""

    group: Word | None = Field(None, description="Only those of this group.")
    general: Flag = Field(False, description="Only those for all.")


class PreviewBody(Model):
    """A change to look at: exactly one of these."""

    add: StatementBody | None = None
    remove: int | None = Field(None, ge=1, description="Number of a statement.")
    approve: int | None = Field(None, ge=1, description="Number of an exception to approve.")
    revoke: int | None = Field(None, ge=1, description="Number of an exception to revoke.")


class PreviewShown(Model):
    """What a change would do, in sentences: to recorded queries, to known names, to expectations."""

    said: list[str]


def list_statements(state: State, query: StatementQuery) -> Page[StatementShown]:
    """List statements: the more specific first, which wins whatever the order."""
    found = in_order(state)
    if query.group is not None or query.general:
        found = [one for one in found if one.group == query.group]
    return page_of([StatementShown.of(one) for one in found], query, lambda one: str(one.id))


def in_order(state: State) -> list[Statement]:
    """Return all statements, the more specific first."""
    return sorted(state.policy.statements(), key=lambda s: (-s.subject.kind, s.subject.value, s.extent))


def show_statement(state: State, place: StatementPlace) -> StatementShown:
    """Show a statement."""
    return StatementShown.of(statement_of(state, place.number))


def add_statement(state: State, body: StatementBody, query: Forced, notes: list[str]) -> StatementShown:
    """Add a statement, or replace that on the same subject, group and schedule."""
    return StatementShown.of(store(state, read_wish(state, body.to_wish()), notes, force=query.force))


def store(
    state: State, wanted: Statement, notes: list[str], *, force: bool, instead_of: Statement | None = None
) -> Statement:
    """Store a statement, beside others or in the place of one, and note what is to be known of it."""
    if warning := warning_before(wanted):
        notes.append(warning)
    if instead_of is None:
        stored = store_statement(state, wanted, force=force)
    else:
        stored = replace_statement(state, instead_of, wanted, force=force)
    remarks = remarks_on(state, stored)
    notes.extend((*remarks.warnings, *remarks.notes))
    return stored


def statement_before(state: State, body: StatementBody) -> StatementShown | None:
    """Return the statement that one to add would take the place of."""
    wanted = read_wish(state, body.to_wish())
    key = (wanted.subject, wanted.group, wanted.schedule)
    found = [one for one in state.policy.statements() if (one.subject, one.group, one.schedule) == key]
    return StatementShown.of(found[0]) if found else None


def delete_statement(state: State, place: StatementPlace, query: Forced) -> StatementShown:
    """Remove a statement."""
    one = statement_of(state, place.number)
    gone = remove_statement(state, one.subject, one.group, one.schedule or "always", force=query.force)
    return StatementShown.of(gone)


def preview_change(state: State, body: PreviewBody, actor: Actor) -> PreviewShown:
    """Tell what a change would do; nothing is changed.

    What it would have done to recorded queries is told to whoever has the right to report hits.
    """
    given = [name for name in type(body).model_fields if getattr(body, name) is not None]
    if len(given) != 1:
        raise RequestError(400, "wanted exactly one of add, remove, approve and revoke")
    clients = clients_of(state, body.approve or body.revoke)
    return PreviewShown(said=outlook(state, _change_of(state, body), actor, clients))


def _change_of(state: State, body: PreviewBody) -> Callable[[], object]:
    if body.add is not None:
        wanted = read_wish(state, body.add.to_wish())
        return lambda: state.policy.put(wanted)
    if body.remove is not None:
        one = statement_of(state, body.remove)
        return lambda: state.policy.remove(one.subject, one.group, one.schedule or "always")
    number, decide = (body.approve, approve_exception) if body.approve else (body.revoke, revoke_exception)
    return lambda: decide(state, number or 0, force=True)


def clients_of(state: State, number: int | None) -> list[str]:
    """Return the client that an exception is for, if it is for one: it is told by itself."""
    found = None if number is None else state.exceptions.find(number)
    return [] if found is None or found.client is None else [found.client]


def outlook(state: State, change: Callable[[], object], actor: Actor, clients: Sequence[str] = ()) -> list[str]:
    """Tell in sentences what a change would do; of recorded queries only to whoever may see hits."""
    with_recorded = actor.may(Right.REPORT, "hits")
    said = preview(state, change, clients, with_recorded=with_recorded)
    return said if with_recorded else [*said, _NOT_TOLD]


def statement_of(state: State, number: int) -> Statement:
    """Return a statement by its number.

    Raises:
        RequestError: 404.
    """
    found = next((one for one in state.policy.statements() if one.id == number), None)
    if found is None:
        raise not_found(f"statement {number}")
    return found
