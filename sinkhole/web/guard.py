"""What every request passes: our host or none, no other site's doing, a client's share of what is under way.

Known errors become problems, and every answer has safe headers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from sinkhole.errors import SinkholeError
from sinkhole.log import Log
from sinkhole.web.actor import Shown
from sinkhole.web.admit import actor_of
from sinkhole.web.context import ACTOR, CONTEXT, PEER
from sinkhole.web.cross_site import objection
from sinkhole.web.problem import CONTENT_TYPE, Problem, RequestError, problem, problem_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
API: Final = "/api/"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would have browsers send `Origin: null` with forms
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "sinkhole",
}


@dataclass(frozen=True, slots=True)
class FailedPage:
    """Shows a problem to a person, as a page."""

    show: Callable[[web.Request, Problem], web.Response]


FAILED: Final = web.AppKey("failed", FailedPage)
_HSTS = "max-age=31536000"
_LOG = Log("admin")


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through, or end it as a problem."""
    try:
        expect_own(request)
        with request.app[CONTEXT].in_hand.one_of(request[PEER].address):
            return await handler(request)
    except SinkholeError as error:
        found, headers = problem_of(error)
        return failed(request, found, headers)
    except web.HTTPException as error:
        headers = {key: error.headers[key] for key in ("Allow", "Location") if key in error.headers}
        if error.status < 400:
            raise
        await _know(request)
        return failed(request, problem(error.status, _DETAILS.get(error.status, error.reason)), headers)
    except Exception:
        _LOG.exception("admin.failed", method=request.method, path=request.path[:200])
        return failed(request, problem(500, "this went wrong; the log of the server has it"), {})


async def _know(request: web.Request) -> None:
    """Find who is told that there is no such page, so that theirs has the navigation."""
    if request.path.startswith(API) or ACTOR in request:
        return
    try:
        actor = await actor_of(request)
    except SinkholeError:
        return
    if actor is not None:
        request[ACTOR] = actor


_DETAILS = {404: "there is nothing at this address", 405: "this address does not take this method",
            413: "the request is larger than permitted"}  # fmt: skip


def expect_own(request: web.Request) -> None:
    """Refuse what was made to another host, or is another site's doing.

    Raises:
        RequestError: 421 or 403.
    """
    context = request.app[CONTEXT]
    peer = request[PEER] = context.peers.of(request)
    if not context.peers.is_ours(peer):
        raise RequestError(421, "this host is not served here; its name can be added to admin.hosts")
    shown = Shown.of(request.headers, request.cookies, is_secure=peer.is_secure)
    is_browser = shown.is_cookie or not request.path.startswith(API)
    if why := objection(request.headers, request.method, peer, is_browser=is_browser):
        _LOG.warning("admin.cross_site", why=why, path=request.path[:200], address=peer.address)
        raise RequestError(403, why)


def failed(request: web.Request, found: Problem, headers: dict[str, str]) -> web.Response:
    """Return a problem: as JSON to programs, as a page to people."""
    if request.path.startswith(API) or FAILED not in request.app:
        body = found.model_dump_json().encode()
        response = web.Response(status=found.status, body=body, content_type=CONTENT_TYPE, headers=headers)
    else:
        response = request.app[FAILED].show(request, found)
        response.headers.update(headers)
    if not request.content.at_eof():
        response.force_close()  # whoever sends more is told that nobody reads it (RFC 9112, section 9.6)
    return response


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if PEER in request and request[PEER].is_secure:
        response.headers["Strict-Transport-Security"] = _HSTS
