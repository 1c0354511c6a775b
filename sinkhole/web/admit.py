"""Who may use a route: nobody, unless the route says which right it takes and the request shows somebody who has it."""

from contextlib import suppress
from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.rights import Right
from sinkhole.errors import StoreError
from sinkhole.store.session_store import SessionStore
from sinkhole.store.token_store import TokenStore
from sinkhole.web.actor import Actor, Shown, find_actor
from sinkhole.web.context import ACTOR, CONTEXT, PEER
from sinkhole.web.problem import RequestError
from sinkhole.web.route import Anyone
from sinkhole.web.work import BusyError

_NOTE_EVERY = 60
"""Seconds between notes that a session or token is used."""


async def actor_of(request: web.Request) -> Actor | None:
    """Return who makes a request, or None."""
    context, peer = request.app[CONTEXT], request[PEER]
    shown = Shown.of(request.headers, request.cookies, is_secure=peer.is_secure)
    if shown.cookie is None and shown.token is None:
        return None
    idle = context.settings.admin.idle_minutes * 60
    return await context.work.readers.do(lambda state: find_actor(state, shown, idle))


async def admit(request: web.Request, right: Right | Anyone, area: str) -> Actor | None:
    """Return who makes a request, if they may.

    Raises:
        RequestError: 401 for nobody, 403 for who has not the right.
    """
    actor = await actor_of(request)
    if isinstance(right, Anyone):
        return actor
    if actor is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="sinkhole"'}
        raise RequestError(401, "log in, or send a token: Authorization: Bearer …", headers=challenge)
    request[ACTOR] = actor  # also where they may not: the page that says so is theirs
    if not actor.may(right, area):
        raise RequestError(403, f"this takes the role {right} or a higher one; of a token, the scope {right}:{area}")
    await _note_use(request, actor)
    return actor


async def _note_use(request: web.Request, actor: Actor) -> None:
    """Note that a session or token is used, once in a while; where the disk is full, who may look still may."""
    now = datetime.now(UTC)
    if actor.used is not None and now.timestamp() - actor.used < _NOTE_EVERY:
        return
    session, token = actor.session, actor.token
    access = request.app[CONTEXT].work.access
    with suppress(StoreError, BusyError):
        if session is not None:
            await access.do(actor.who, "web", lambda state: SessionStore(state.store).touch(session.digest, now))
        elif token is not None:
            await access.do(actor.who, "web", lambda state: TokenStore(state.store, state.who).touch(token, now))
