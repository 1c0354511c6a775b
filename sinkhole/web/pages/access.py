"""Pages of access: log in and out, make an account with a link, see and end one's sessions."""

from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.accounts import create_by_link
from sinkhole.app.state import State
from sinkhole.errors import AccessError
from sinkhole.log import Log
from sinkhole.store.link_store import LinkStore
from sinkhole.store.session_store import SessionStore
from sinkhole.web.actor import Actor
from sinkhole.web.api.session import SessionShown
from sinkhole.web.attempts import key_of_address
from sinkhole.web.context import PEER, Context
from sinkhole.web.cookies import cookie_of, drop_cookie, set_cookie
from sinkhole.web.login import Credentials
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError, problem

HOME = "/"
_ENDED = (
    "It has ended or was used: it makes one account, within 15 minutes. Ask whoever sent it for another, or make "
    "one on the server: sinkhole admin link"
)
_LOG = Log("admin")


async def login_form(request: web.Request, actor: Actor | None) -> View | web.Response:
    """Ask who it is."""
    after = _own_path(request.query.get("next", HOME))
    return _to(after) if actor is not None else View("login.html", {"next": after, "said": None, "name": ""})


async def log_in(request: web.Request, context: Context) -> View | web.Response:
    """Log in, and go where the visitor was going."""
    form = await form_of(request, "name", "password", "code", "next")
    after, peer = _own_path(form["next"]), request[PEER]
    try:
        given = Credentials(form["name"].strip(), form["password"], form["code"])
        secret = await context.login.log_in(given, peer, cookie_of(request, peer))
    except RequestError as error:
        return View("login.html", {"next": after, "said": str(error), "name": form["name"][:100]}, error.status)
    response = _to(after)
    set_cookie(response, peer, secret)
    return response


async def log_out(request: web.Request, context: Context, actor: Actor) -> web.Response:
    """Log out here, or everywhere."""
    form = await form_of(request, "everywhere")

    def end(state: State) -> None:
        sessions = SessionStore(state.store)
        if form["everywhere"]:
            sessions.end_all(actor.name)
        elif actor.session is not None:
            sessions.end(actor.session.digest)

    await context.work.access.do(actor.who, f"web from {request[PEER].address}", end)
    _LOG.info("admin.logged_out", account=actor.name, everywhere=bool(form["everywhere"]))
    response = _to("/login")
    drop_cookie(response, request[PEER])
    return response


def my_account(state: State, actor: Actor, context: Context) -> View:
    """Show who one is, and where one is logged in."""
    idle = context.settings.admin.idle_minutes * 60
    current = None if actor.session is None else actor.session.digest
    found = SessionStore(state.store).of(actor.name, datetime.now(UTC), idle) if actor.session else ()
    return View("account.html", {"sessions": [SessionShown.of(one, current) for one in found]})


async def setup_form(request: web.Request, context: Context) -> View:
    """Ask for name and password of an account that a link is good for."""
    secret = request.match_info["secret"]
    _expect_room(request, context)
    now = datetime.now(UTC)
    link = await context.work.readers.do(lambda state: LinkStore(state.store).find(secret, now))
    if link is None:
        return _ended(request, context)
    return View("setup.html", {"link": link, "said": None, "name": ""})


async def set_up(request: web.Request, context: Context) -> View | web.Response:
    """Make the account of a link, and log it in."""
    secret, peer = request.match_info["secret"], request[PEER]
    form = await form_of(request, "name", "password", "again")
    _expect_room(request, context)
    name, now = form["name"].strip(), datetime.now(UTC)
    link = await context.work.readers.do(lambda state: LinkStore(state.store).find(secret, now))
    if link is None:
        return _ended(request, context)
    try:
        if form["password"] != form["again"]:
            raise AccessError("the two passwords differ")
        await context.work.access.do(
            "link", f"web from {peer.address}",
            lambda state: create_by_link(state, secret, name, form["password"], context.login.passwords),
        )  # fmt: skip
    except AccessError as error:
        return View("setup.html", {"link": link, "said": str(error), "name": name[:100]}, 422)
    _LOG.info("admin.account_made", account=name, address=peer.address)
    response = _to(HOME)
    set_cookie(response, peer, await context.login.log_in(Credentials(name, form["password"]), peer, None))
    return response


def _expect_room(request: web.Request, context: Context) -> None:
    context.login.expect_room("", key_of_address(request[PEER].address))


def _ended(request: web.Request, context: Context) -> View:
    """Tell that a link is good for nothing, and count the guess that it may be."""
    context.login.note_failure(key_of_address(request[PEER].address))
    found = problem(404, _ENDED).model_copy(update={"title": "This link is no longer good"})
    return View("problem.html", {"problem": found, "is_told": True}, found.status)


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _own_path(text: str) -> str:
    """Return a path of ours; anything that could lead elsewhere leads home."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable()
    return text if is_ours and "\\" not in text else HOME
