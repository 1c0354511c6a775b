"""The session itself: log in, see who one is, log out here or everywhere."""

from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from sinkhole.store.session_store import Session, SessionStore
from sinkhole.web.actor import Actor
from sinkhole.web.context import PEER, Context
from sinkhole.web.cookies import cookie_of, drop_cookie, set_cookie
from sinkhole.web.login import Credentials
from sinkhole.web.model import Model, moment
from sinkhole.web.problem import RequestError
from sinkhole.web.serve_api import answer_with

Secret = Annotated[str, Field(max_length=1000)]


class LoginBody(Model):
    """What somebody logs in with."""

    name: Annotated[str, Field(max_length=200)]
    password: Secret
    code: Annotated[str, Field(max_length=100)] = Field("", description="Of the second factor, or a recovery code.")


class PasswordBody(Model):
    """One's password, and the one that takes its place: 12 characters or more."""

    current: Secret
    wanted: Secret


class SessionShown(Model):
    """A log-in: from where, since when, used when, and its end whatever is done."""

    began: datetime
    used: datetime
    ends: datetime
    address: str
    current: bool

    @classmethod
    def of(cls, one: Session, current: str | None) -> "SessionShown":
        """Return a session; `current` is the digest of that of the request."""
        return cls(
            began=moment(one.began), used=moment(one.used), ends=moment(one.ends), address=one.address,
            current=one.digest == current,
        )  # fmt: skip


class Me(Model):
    """Who makes the request, and what they may do."""

    name: str
    kind: str = Field(description="account or token.")
    scopes: list[str]
    sessions: list[SessionShown] = Field(description="Of the account, the last used first.")


class LoggedOut(Model):
    """How many sessions have ended."""

    ended: int


async def log_in(context: Context, request: web.Request, body: LoginBody) -> web.StreamResponse:
    """Log in: the answer sets the cookie of a new session."""
    peer = request[PEER]
    given = Credentials(body.name, body.password, body.code)
    secret = await context.login.log_in(given, peer, cookie_of(request, peer))
    response = web.Response(status=204)
    set_cookie(response, peer, secret)
    return response


async def who_am_i(context: Context, actor: Actor) -> web.StreamResponse:
    """Tell who makes the request, what they may do, and where they are logged in."""
    idle = context.settings.admin.idle_minutes * 60
    mine: tuple[Session, ...] = ()
    if actor.session is not None:
        mine = await context.work.readers.do(
            lambda state: SessionStore(state.store).of(actor.name, datetime.now(UTC), idle)
        )
    current = None if actor.session is None else actor.session.digest
    return answer_with(
        Me(
            name=actor.name, kind="account" if actor.token is None else "token",
            scopes=[str(scope) for scope in actor.scopes], sessions=[SessionShown.of(one, current) for one in mine],
        ),
        200,
    )  # fmt: skip


async def log_out(context: Context, request: web.Request, actor: Actor) -> web.StreamResponse:
    """Log out: the session of this request ends."""
    session = _session(actor)
    await context.work.access.do(actor.who, "web", lambda state: SessionStore(state.store).end(session.digest))
    response = answer_with(LoggedOut(ended=1), 200)
    drop_cookie(response, request[PEER])
    return response


async def log_out_everywhere(context: Context, request: web.Request, actor: Actor) -> web.StreamResponse:
    """Log out everywhere: all sessions of the account end."""
    _session(actor)
    ended = await context.work.access.do(actor.who, "web", lambda state: SessionStore(state.store).end_all(actor.name))
    response = answer_with(LoggedOut(ended=ended), 200)
    drop_cookie(response, request[PEER])
    return response


async def change_password(
    context: Context, request: web.Request, actor: Actor, body: PasswordBody
) -> web.StreamResponse:
    """Change one's password: all sessions of the account end, and the answer sets the cookie of a new one."""
    _session(actor)
    secret = await context.login.change_password(actor.name, body.current, body.wanted, request[PEER])
    response = web.Response(status=204)
    set_cookie(response, request[PEER], secret)
    return response


def _session(actor: Actor) -> Session:
    if actor.session is None:
        raise RequestError(422, "a token has no session; revoke it with: sinkhole admin token revoke")
    return actor.session
