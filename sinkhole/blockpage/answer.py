"""Responses: what fits the client, never stored, with nothing in it that could run."""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping

from aiohttp import web

from sinkhole.blockpage.ruling import Ruling
from sinkhole.blockpage.view import Outcome, View
from sinkhole.blockpage.visit import Visit, Wants

_DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent picture of one dot."""
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it browsers send forms with the Origin null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "sinkhole",
    "Vary": "Accept, Accept-Language, Sec-Fetch-Dest",
}
_NOTHING_ELSE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_RETRY_AFTER = "10"
"""Seconds: the TTL of blocked answers, unless changed."""


def content_policy(style: str) -> str:
    """Return the content security policy of a page with this style and no script, picture or frame."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"{_NOTHING_ELSE}; style-src 'sha256-{digest}'; form-action 'self'"


def bare(status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a status without a body."""
    return _response(status, b"", "text/plain", {**(headers or {}), "Content-Security-Policy": _NOTHING_ELSE})


def respond(
    view: View, visit: Visit, ruling: Ruling, now: dt.datetime, *, outcome: Outcome | None = None, is_read: bool = True
) -> web.Response:
    """Return the answer to a visit.

    Args:
        outcome: what became of a form.
        is_read: the request asks for something to look at; others are answered in few words.
    """
    wants = visit.wants
    status = outcome.status if outcome is not None else ruling.status
    more = {"Retry-After": _RETRY_AFTER} if status == 503 else {}
    if wants is Wants.PAGE and (is_read or outcome is not None):
        html = view.page(visit, ruling, now, outcome)
        more["Content-Security-Policy"] = content_policy(view.style)
        return _response(status, html.encode(), "text/html", more)
    more["Content-Security-Policy"] = _NOTHING_ELSE
    if wants is Wants.JSON:
        problem = {"type": "about:blank", "status": status, **view.facts(visit, ruling, now)}
        return _response(status, json.dumps(problem).encode(), "application/problem+json", more)
    if wants is Wants.IMAGE and is_read:
        return _response(status, _DOT, "image/gif", more)
    if wants is Wants.NOTHING:
        return _response(status, b"", "text/plain", more)
    return _response(status, view.text(visit, ruling, now).encode(), "text/plain", more)


def _response(status: int, body: bytes, kind: str, more: Mapping[str, str]) -> web.Response:
    charset = "utf-8" if kind.startswith("text/") else None
    response = web.Response(status=status, body=body, content_type=kind, charset=charset, headers={**_HEADERS, **more})
    response.force_close()
    return response
