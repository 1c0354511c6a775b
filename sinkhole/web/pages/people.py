"""Who may use the admin side: accounts, where they are logged in, and tokens of programs."""

from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.accounts import LONGEST_TOKEN, account_store, token_store
from sinkhole.app.rights import AREAS
from sinkhole.app.state import State
from sinkhole.log import Log
from sinkhole.store.session_store import SessionStore
from sinkhole.web.actor import Actor
from sinkhole.web.api import access
from sinkhole.web.api.access import AccountPlace, TokenBody, TokenMade, TokenPlace, log_account_out
from sinkhole.web.context import Context
from sinkhole.web.pages.change import Done, Refused, body_of, change
from sinkhole.web.pages.fields import ticked
from sinkhole.web.pages.look import look
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of

_LENGTHS = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"))
_LOG = Log("admin")


def people_page(state: State, context: Context) -> View:
    """List accounts with their sessions, and tokens."""
    return _page(state, context, None, {}, None)


async def log_out_account(request: web.Request, place: AccountPlace, context: Context) -> web.Response:
    """End all sessions of an account."""
    await form_of(request)

    def work(state: State) -> Done:
        count = log_account_out(state, place).ended
        _LOG.info("admin.logged_out", account=place.account, everywhere=True, by=state.who)
        sessions = "1 session" if count == 1 else f"{count} sessions"
        return Done("/access", f"{place.account} is logged out of {sessions}.")

    return await change(request, work, _again(context, {}), is_policy=False)


async def revoke_token(request: web.Request, place: TokenPlace, context: Context) -> web.Response:
    """Revoke a token."""
    await form_of(request)

    def work(state: State) -> Done:
        access.revoke_token(state, place)
        return Done("/access", f"The token {place.token} was revoked; it is good for nothing from now on.")

    return await change(request, work, _again(context, {}), is_policy=False)


async def make_token(request: web.Request, actor: Actor, context: Context) -> web.Response:
    """Make a token, and show its secret this once: on the answer itself, so that it is kept nowhere meanwhile."""
    form = await form_of(request, "name", "days", "scope", "scopes")
    scopes = [*await ticked(request, "scope"), *form["scopes"].replace(",", " ").split()]

    def work(state: State) -> View:
        body = body_of(TokenBody, {"name": form["name"].strip(), "days": form["days"], "scopes": scopes})
        return _page(state, context, None, {}, access.make_token(state, body, actor))

    return await look(request, work, _again(context, form | {"ticked": " ".join(scopes)}))


def _again(context: Context, form: dict[str, str]) -> Callable[[State, Refused], View]:
    def again(state: State, refused: Refused) -> View:
        return _page(state, context, refused, form, None)

    return again


def _page(
    state: State, context: Context, refused: Refused | None, form: dict[str, str], made: TokenMade | None
) -> View:
    now, idle = datetime.now(UTC), context.settings.admin.idle_minutes * 60
    sessions = SessionStore(state.store)
    accounts = [(one, sessions.of(one.name, now, idle)) for one in account_store(state).all()]
    blank = {"name": "", "days": "90", "scopes": "", "ticked": ""}
    return View("people.html", {
        "accounts": accounts, "tokens": token_store(state).all(), "now": int(now.timestamp()), "refused": refused,
        "form": blank | form, "made": made, "areas": AREAS,
        "lengths": [pair for pair in _LENGTHS if int(pair[0]) <= LONGEST_TOKEN.days],
    })  # fmt: skip
