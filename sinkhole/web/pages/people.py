"""Who may use the admin side: accounts, their roles, where they are logged in, and tokens of programs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.accounts import LONGEST_TOKEN, account_store, token_store
from sinkhole.app.rights import AREAS, ROLES, Right
from sinkhole.app.state import State
from sinkhole.log import Log
from sinkhole.store.session_store import SessionStore
from sinkhole.web.actor import Actor
from sinkhole.web.api import access
from sinkhole.web.api.access import (
    AccountPlace,
    LinkMade,
    RoleBody,
    TokenBody,
    TokenMade,
    TokenPlace,
    log_account_out,
)
from sinkhole.web.context import Context
from sinkhole.web.model import Paged, Word, part_of
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.fields import ticked
from sinkhole.web.pages.look import look
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import not_found

_LENGTHS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
_ROLES_SAID = {
    "read": "read: see policy, groups, exceptions, the catalogue, feeds, settings",
    "report": "report: also see what was recorded of clients, and the audit log",
    "manage": "manage: also change all of it",
}
_ACCOUNTS, _LINK, _TOKEN = "accounts", "link", "token"
_LOG = Log("admin")


class PeopleAsked(Paged):
    """Which accounts."""

    text: Word | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked of the page, for the part of it that it is about.

    Attributes:
        part: accounts, link or token: where it is told why it was refused.
        form: what was typed there.
        made: what is shown this once.
        accounts: which of them.
    """

    part: str = _ACCOUNTS
    form: dict[str, str] = field(default_factory=dict)
    refused: Refused | None = None
    made: TokenMade | LinkMade | None = None
    accounts: PeopleAsked = field(default_factory=PeopleAsked)


def people_page(state: State, context: Context, query: PeopleAsked) -> View:
    """List accounts with their sessions, and tokens."""
    return _page(state, context, _Asked(accounts=query))


async def log_out_account(request: web.Request, place: AccountPlace, context: Context) -> web.Response:
    """End all sessions of an account."""
    await form_of(request)

    def work(state: State) -> Done:
        count = log_account_out(state, place).ended
        _LOG.info("admin.logged_out", account=place.account, everywhere=True, by=state.who)
        sessions = "1 session" if count == 1 else f"{count} sessions"
        return Done("/access", f"{place.account} is logged out of {sessions}.")

    return await change(request, work, _again(context, _ACCOUNTS), is_policy=False)


async def change_role(request: web.Request, place: AccountPlace, actor: Actor, context: Context) -> web.Response:
    """Give an account another role."""
    form = await form_of(request, "role", "version")

    def work(state: State) -> Done:
        body = body_of(RoleBody, {"role": form["role"]})
        access.change_role(state, place, body, actor, context)
        return Done("/access", f"{place.account} has the role {body.role} now, and logs in anew.")

    guard = Guard(form["version"], lambda state: _role_of(state, place))
    return await change(request, work, _again(context, _ACCOUNTS), guard, is_policy=False)


async def remove_account(request: web.Request, place: AccountPlace, actor: Actor, context: Context) -> web.Response:
    """Remove an account."""
    await form_of(request)

    def work(state: State) -> Done:
        access.delete_account(state, place, actor, context)
        return Done("/access", f"The account {place.account} was removed; it is logged out everywhere.")

    return await change(request, work, _again(context, _ACCOUNTS), is_policy=False)


async def make_link(request: web.Request, actor: Actor, context: Context) -> web.Response:
    """Make the link with which somebody makes an account, and show it this once, as `make_token` does."""
    form = await form_of(request, "role")

    def work(state: State) -> View:
        made = access.make_link(state, body_of(RoleBody, form), actor)
        return _page(state, context, _Asked(made=made))

    return await look(request, work, _again(context, _LINK, form))


async def revoke_token(request: web.Request, place: TokenPlace, context: Context) -> web.Response:
    """Revoke a token."""
    await form_of(request)

    def work(state: State) -> Done:
        access.revoke_token(state, place)
        return Done("/access", f"The token {place.token} was revoked; it is good for nothing from now on.")

    return await change(request, work, _again(context, _TOKEN), is_policy=False)


async def make_token(request: web.Request, actor: Actor, context: Context) -> web.Response:
    """Make a token, and show its secret this once: on the answer itself, so that it is kept nowhere meanwhile."""
    form = await form_of(request, "name", "days", "scope", "scopes")
    scopes = [*await ticked(request, "scope"), *form["scopes"].replace(",", " ").split()]

    def work(state: State) -> View:
        body = body_of(TokenBody, {"name": form["name"].strip(), "days": form["days"], "scopes": scopes})
        made = access.make_token(state, body, actor)
        return _page(state, context, _Asked(made=made))

    return await look(request, work, _again(context, _TOKEN, form | {"ticked": " ".join(scopes)}))


def _again(context: Context, part: str, form: dict[str, str] | None = None) -> Callable[[State, Refused], View]:
    def again(state: State, refused: Refused) -> View:
        return _page(state, context, _Asked(part, form or {}, refused))

    return again


def _role_of(state: State, place: AccountPlace) -> str:
    found = account_store(state).find(place.account)
    if found is None:
        raise not_found(f"account {place.account!r}")
    return found.role


def _page(state: State, context: Context, asked: _Asked) -> View:
    now, idle = datetime.now(UTC), context.settings.admin.idle_minutes * 60
    sessions = SessionStore(state.store)
    every, text = account_store(state).all(), (asked.accounts.text or "").lower()
    found = [one for one in every if text in one.name or text == one.role]
    shown, following = part_of(found, asked.accounts, lambda one: one.name)
    accounts = [(one, sessions.of(one.name, now, idle), version_of(one.role)) for one in shown]
    managers = sum(one.role == str(Right.MANAGE) for one in every)
    blank = {"name": "", "days": "90", "scopes": "", "ticked": "", "role": str(Right.READ)}
    return View("people.html", {
        "accounts": accounts, "asked": asked.accounts, "next": following, "count": len(found), "all": len(every),
        "managers": managers, "tokens": token_store(state).all(), "now": int(now.timestamp()),
        "part_refused": dict.fromkeys((_ACCOUNTS, _LINK, _TOKEN)) | {asked.part: asked.refused},
        "form": blank | asked.form,
        "token": asked.made if isinstance(asked.made, TokenMade) else None,
        "link": asked.made if isinstance(asked.made, LinkMade) else None,
        "areas": AREAS, "roles": [(role, _ROLES_SAID[role]) for role in ROLES],
        "lengths": [pair for pair in _LENGTHS if int(pair[0]) <= LONGEST_TOKEN.days],
    })  # fmt: skip
