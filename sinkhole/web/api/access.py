"""Accounts and tokens: who may use the admin side.

A token makes no other and no account: it would outlive its own end. So what gives access takes a log-in; what takes
access away does not. Passwords and second factors are their owner's matter, or that of whoever is on the server.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from sinkhole.app.accounts import LONGEST_TOKEN, account_store, create_link, create_token, remove_account, token_store
from sinkhole.app.rights import Right, Scope, is_permitted
from sinkhole.app.state import State
from sinkhole.store.account_store import Account
from sinkhole.store.session_store import SessionStore
from sinkhole.store.token_store import Token
from sinkhole.web.actor import Actor
from sinkhole.web.context import Context
from sinkhole.web.model import Model, Page, Paged, Word, moment, page_of, part_of
from sinkhole.web.problem import RequestError, not_found

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,62}$")]
Role = Literal["read", "report", "manage"]


class AccountPlace(Model):
    """An account."""

    account: Name


class TokenPlace(Model):
    """A token."""

    token: Name


class RoleBody(Model):
    """What an account may do."""

    role: Role


class TokenBody(Model):
    """A token to make; it may do no more than who makes it."""

    name: Name
    scopes: Annotated[list[Word], Field(min_length=1, max_length=50)] = Field(
        description="Roles, or roles in one area of the API: read, manage:policy."
    )
    days: int = Field(90, ge=1, le=LONGEST_TOKEN.days, description="After which it ends.")


class AccountShown(Model):
    """An account; times without use of a session end it, so `sessions` counts those that still hold."""

    name: str
    role: str
    second_factor: bool
    recovery_codes: int = Field(description="Left.")
    sessions: int
    created: datetime
    changed: datetime
    last_login: datetime | None = Field(description="null: not known; times before an upgrade are not.")


class TokenShown(Model):
    """A token; `used` null: never."""

    name: str
    scopes: list[str]
    maker: str
    created: datetime
    ends: datetime
    used: datetime | None

    @classmethod
    def of(cls, one: Token) -> "TokenShown":
        """Return a token."""
        return cls(
            name=one.name, scopes=list(one.scopes), maker=one.maker, created=moment(one.created),
            ends=moment(one.ends), used=None if one.used is None else moment(one.used),
        )  # fmt: skip


class TokenMade(Model):
    """A token that was made; its secret is shown this once."""

    name: str
    secret: str
    scopes: list[str]
    ends: datetime


class LinkMade(Model):
    """A link with which somebody makes an account of their own, once, within 15 minutes; it is shown this once."""

    url: str
    role: str


class SessionsEnded(Model):
    """How many sessions have ended."""

    ended: int


def list_accounts(state: State, query: Paged, context: Context) -> Page[AccountShown]:
    """List accounts."""
    found, following = part_of(account_store(state).all(), query, lambda one: one.name)
    return Page(items=[_shown(state, one, context) for one in found], next=following)


def show_account(state: State, place: AccountPlace, context: Context) -> AccountShown:
    """Show an account."""
    return _shown(state, _of(state, place), context)


def make_link(state: State, body: RoleBody, actor: Actor) -> LinkMade:
    """Make the link for an account, in place of any before; who follows it chooses name and password."""
    _expect_person(actor)
    return LinkMade(url=create_link(state, body.role), role=body.role)


def change_role(state: State, place: AccountPlace, body: RoleBody, actor: Actor, context: Context) -> AccountShown:
    """Give an account another role; its sessions end."""
    _of(state, place)
    _expect_person(actor)
    with state.store.transaction():
        changed = account_store(state).set_role(place.account, body.role, datetime.now(UTC))
        _expect_manager(state)
    return _shown(state, changed, context)


def delete_account(state: State, place: AccountPlace, actor: Actor, context: Context) -> AccountShown:
    """Remove an account with its sessions."""
    gone = _shown(state, _of(state, place), context)
    _expect_person(actor)
    with state.store.transaction():
        remove_account(state, place.account)
        _expect_manager(state)
    return gone


def log_account_out(state: State, place: AccountPlace) -> SessionsEnded:
    """End all sessions of an account."""
    _of(state, place)
    return SessionsEnded(ended=SessionStore(state.store).end_all(place.account))


def list_tokens(state: State, query: Paged) -> Page[TokenShown]:
    """List tokens, those that have ended too; their secrets are nowhere."""
    return page_of([TokenShown.of(one) for one in token_store(state).all()], query, lambda one: one.name)


def make_token(state: State, body: TokenBody, actor: Actor) -> TokenMade:
    """Make a token."""
    _expect_person(actor)
    wanted = [Scope.from_text(text) for text in body.scopes]
    for scope in wanted:
        if not _covers(actor, scope):
            raise RequestError(403, f"a token for {scope} may do more than you")
    made = create_token(state, body.name, tuple(map(str, wanted)), timedelta(days=body.days))
    return TokenMade(name=made.name, secret=made.secret, scopes=list(made.scopes), ends=made.ends)


def revoke_token(state: State, place: TokenPlace) -> TokenShown:
    """Revoke a token: it is good for nothing from now on."""
    if all(one.name != place.token for one in token_store(state).all()):
        raise not_found(f"token {place.token!r}")
    return TokenShown.of(token_store(state).revoke(place.token))


def _of(state: State, place: AccountPlace) -> Account:
    found = account_store(state).find(place.account)
    if found is None:
        raise not_found(f"account {place.account!r}")
    return found


def _shown(state: State, one: Account, context: Context) -> AccountShown:
    idle = context.settings.admin.idle_minutes * 60
    return AccountShown(
        name=one.name, role=one.role, second_factor=one.totp is not None,
        recovery_codes=account_store(state).recovery_left(one.name),
        sessions=len(SessionStore(state.store).of(one.name, datetime.now(UTC), idle)),
        created=moment(one.created), changed=moment(one.changed),
        last_login=None if one.last_login is None else moment(one.last_login),
    )  # fmt: skip


def _expect_person(actor: Actor) -> None:
    if actor.session is None:
        raise RequestError(403, "a token gives nobody access: log in for this, or use sinkhole admin on the server")


def _expect_manager(state: State) -> None:
    """Refuse what leaves nobody who may do this; within a transaction, so that it is taken back."""
    if all(one.role != str(Right.MANAGE) for one in account_store(state).all()):
        raise RequestError(409, "then no account would be left that may manage; make another one first")


def _covers(actor: Actor, scope: Scope) -> bool:
    if scope.area is None:
        return any(own.area is None and own.right >= scope.right for own in actor.scopes)
    return is_permitted(actor.scopes, scope.right, scope.area)
