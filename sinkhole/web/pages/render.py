"""Render pages: what is put into one is escaped, whoever made it up."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sinkhole import __version__
from sinkhole.app.rights import Right
from sinkhole.web.actor import Actor
from sinkhole.web.context import ACTOR, PEER
from sinkhole.web.pages.route import View
from sinkhole.web.problem import Problem

_DIRECTION_MARKS = {
    ord(mark): f"\\u{ord(mark):04x}"
    for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}


def visible(value: object) -> str:
    """Return text in which control characters and direction marks are seen instead of obeyed; escaping comes after."""
    text = "" if value is None else str(value).translate(_DIRECTION_MARKS)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def utc(value: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return value.strftime("%Y-%m-%d %H:%M")


def make_environment() -> Environment:
    """Return the environment of all templates: escaping is on, and a value that is missing is a mistake."""
    environment = Environment(
        loader=PackageLoader("sinkhole.web"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=lambda value: visible(value) if type(value) is str else value,
    )  # fmt: skip
    environment.filters |= {"utc": utc}
    environment.globals |= {"version": __version__}
    return environment


_ENVIRONMENT = make_environment()


def render(request: web.Request, view: View) -> web.Response:
    """Return a page; it knows who looks at it (`actor`, None for nobody) and what they may do (`may`)."""
    actor: Actor | None = request.get(ACTOR)
    rights = {str(right): right for right in Right}

    def may(right: str, area: str) -> bool:
        return actor is not None and actor.may(rights[right], area)

    known: Mapping[str, Any] = {"actor": actor, "may": may, "path": request.path, **view.values}
    text = _ENVIRONMENT.get_template(view.template).render(known)
    return web.Response(status=view.status, text=text, content_type="text/html", charset="utf-8")


def failed(request: web.Request, found: Problem) -> web.Response:
    """Return a problem as a page; who is not logged in is sent to do so, and back, unless a program shows a token."""
    is_program = "Authorization" in request.headers
    if found.status == 401 and request.method == "GET" and PEER in request and not is_program:
        to = "/login" if request.path == "/" else f"/login?next={quote(request.path)}"
        return web.Response(status=303, headers={"Location": to})
    return render(request, View("problem.html", {"problem": found}, found.status))
