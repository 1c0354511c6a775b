"""Who may use the admin side: accounts, where they are logged in, and tokens of programs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from sinkhole.app.accounts import LONGEST_TOKEN, MadeToken, account_store, create_token, token_store
from sinkhole.app.rights import AREAS, ROLES, Scope, expect_within
from sinkhole.app.state import State
from sinkhole.errors import AccessError
from sinkhole.log import Log
from sinkhole.store.session_store import SessionStore
from sinkhole.web.actor import Actor
from sinkhole.web.context import Context
from sinkhole.web.model import Model
from sinkhole.web.pages.change import Done, Refused, change
from sinkhole.web.pages.fields import field_of, ticked
from sinkhole.web.pages.look import look
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError, not_found

_LENGTHS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
_LOG = Log("admin")


class AccountPlace(Model):
    """An account."""

    account: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,62}$")]


class TokenPlace(Model):
    """A token."""

    token: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._@-]{0,62}$")]


def people_page(state: State, context: Context) -> View:
    """List accounts with their sessions, and tokens."""
    return _page(state, context, None, {}, None)


async def log_out_account(request: web.Request, place: AccountPlace, context: Context) -> web.Response:
    """End all sessions of an account."""
    await form_of(request)

    def work(state: State) -> Done:
        if account_store(state).find(place.account) is None:
            raise not_found(f"account {place.account!r}")
        count = SessionStore(state.store).end_all(place.account)
        _LOG.info("admin.logged_out", account=place.account, everywhere=True, by=state.who)
        return Done(
            "/access", f"{place.account} is logged out of {'1 session' if count == 1 else f'{count} sessions'}."
        )

    return await change(request, work, _again(context, {}), is_policy=False)


async def revoke_token(request: web.Request, place: TokenPlace, context: Context) -> web.Response:
    """Revoke a token."""
    await form_of(request)

    def work(state: State) -> Done:
        if all(one.name != place.token for one in token_store(state).all()):
            raise not_found(f"token {place.token!r}")
        token_store(state).revoke(place.token)
        return Done("/access", f"The token {place.token} was revoked; it is good for nothing from now on.")

    return await change(request, work, _again(context, {}), is_policy=False)


async def make_token(request: web.Request, actor: Actor, context: Context) -> web.Response:
    """Make a token, and show its secret this once: on the answer itself, so that it is kept nowhere meanwhile."""
    form = await form_of(request, "name", "days", "scope", "scopes")
    scopes = (*await ticked(request, "scope"), *form["scopes"].replace(",", " ").split())

    def work(state: State) -> View:
        with field_of("scopes"):
            expect_within(map(Scope.from_text, scopes), actor.scopes)
        days = form["days"] if form["days"].isascii() and form["days"].isdigit() and len(form["days"]) < 5 else "0"
        try:
            made = create_token(state, form["name"].strip(), scopes, timedelta(days=int(days)))
        except AccessError as error:
            raise RequestError(422, str(error)) from error
        return _page(state, context, None, {}, made)

    return await look(request, work, _again(context, form | {"ticked": " ".join(scopes)}))


def _again(context: Context, form: dict[str, str]) -> Callable[[State, Refused], View]:
    def again(state: State, refused: Refused) -> View:
        return _page(state, context, refused, form, None)

    return again


def _page(
    state: State, context: Context, refused: Refused | None, form: dict[str, str], made: MadeToken | None
) -> View:
    now, idle = datetime.now(UTC), context.settings.admin.idle_minutes * 60
    sessions = SessionStore(state.store)
    accounts = [(one, sessions.of(one.name, now, idle)) for one in account_store(state).all()]
    blank = {"name": "", "days": "90", "scopes": "", "ticked": ""}
    return View("people.html", {
        "accounts": accounts, "tokens": token_store(state).all(), "now": int(now.timestamp()), "refused": refused,
        "form": blank | form, "made": made, "roles": ROLES, "areas": AREAS,
        "lengths": [pair for pair in _LENGTHS if int(pair[0]) <= LONGEST_TOKEN.days],
    })  # fmt: skip
