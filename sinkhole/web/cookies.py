"""The cookie of a session: HttpOnly, SameSite=Strict, and over TLS for this very host alone."""

from aiohttp import web

from sinkhole.web.actor import PLAIN_COOKIE, SECURE_COOKIE
from sinkhole.web.peer import Peer


def set_cookie(response: web.StreamResponse, peer: Peer, secret: str) -> None:
    """Let a browser hold a session; it forgets it when it is closed, and the server before."""
    name = SECURE_COOKIE if peer.is_secure else PLAIN_COOKIE
    response.set_cookie(name, secret, path="/", httponly=True, secure=peer.is_secure, samesite="Strict")


def drop_cookie(response: web.StreamResponse, peer: Peer) -> None:
    """Let a browser forget it."""
    name = SECURE_COOKIE if peer.is_secure else PLAIN_COOKIE
    response.del_cookie(name, path="/", httponly=True, secure=peer.is_secure, samesite="Strict")


def cookie_of(request: web.Request, peer: Peer) -> str | None:
    """Return the secret that a browser shows, or None."""
    return request.cookies.get(SECURE_COOKIE if peer.is_secure else PLAIN_COOKIE)
