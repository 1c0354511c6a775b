"""Render pages: what is put into one is escaped, whoever made it up."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from sinkhole import __version__
from sinkhole.app.rights import Right
from sinkhole.errors import SinkholeError
from sinkhole.evidence.tables import heading, told
from sinkhole.web.actor import Actor
from sinkhole.web.context import ACTOR, CONTEXT, PEER
from sinkhole.web.pages.asked import address_here
from sinkhole.web.pages.route import PageRoute, View
from sinkhole.web.pages.span import DEFAULT, SPANS, spanned
from sinkhole.web.pages.strip import OnNow, store_trouble
from sinkhole.web.problem import Problem

MENU: Final = web.AppKey("menu", tuple[PageRoute, ...])
"""The pages of the navigation."""
_FIGURES = "/metrics"
"""Read by programs: sent to a form, these would say that what they found there is no figures."""
_ENDED = (
    "your session has ended, and nothing was changed: log in on another tab, come back here and send the form again"
)
_CELL = re.compile(r"<(tr|td|th)\b")
_DIRECTION_MARKS = {
    ord(mark): f"\\u{ord(mark):04x}"
    for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}


def visible(value: object) -> str:
    """Return text in which control characters and direction marks are seen instead of obeyed; escaping comes after."""
    text = "" if value is None else str(value)
    if text.isprintable():  # direction marks are not
        return text
    text = text.translate(_DIRECTION_MARKS)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def utc(value: datetime | float) -> str:
    """Return a time (epoch seconds too) to the minute, in UTC."""
    return _moment(value).strftime("%Y-%m-%d %H:%M")


def second(value: datetime | float) -> str:
    """Return a time to the second, in UTC."""
    return _moment(value).strftime("%Y-%m-%d %H:%M:%S")


def iso(value: datetime | float) -> str:
    """Return a time as `<time>` wants it."""
    return _moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """Return a number with commas between thousands."""
    return f"{value:,}"


def labelled(rows: Markup, columns: Sequence[str]) -> Markup:
    """Return the rows of a table with each cell told of its column, which a narrow screen shows beside it."""
    place = -1

    def tell(found: re.Match[str]) -> str:
        nonlocal place
        place = -1 if found[1] == "tr" else place + 1
        is_plain = found[1] != "td" or place >= len(columns) or not columns[place]
        return found[0] if is_plain else f'{found[0]} data-label="{escape(columns[place])}"'

    return Markup(_CELL.sub(tell, rows))  # noqa: S704 (what is in the rows was escaped when they were made)


def _moment(value: datetime | float) -> datetime:
    return value.astimezone(UTC) if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def make_environment() -> Environment:
    """Return the environment of all templates: escaping is on, and a value that is missing is a mistake."""
    environment = Environment(
        loader=PackageLoader("sinkhole.web"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=lambda value: visible(value) if type(value) is str else value,
    )  # fmt: skip
    environment.filters |= {
        "utc": utc, "second": second, "iso": iso, "number": number, "segment": lambda text: quote(text, safe=""),
        "pair": lambda word: (word, word), "labelled": labelled, "heading": heading,
    }  # fmt: skip
    environment.globals |= {"program_version": __version__, "spanned": spanned, "told": told}
    return environment


_ENVIRONMENT = make_environment()


def render(request: web.Request, view: View, strip: Sequence[OnNow] = ()) -> web.Response:
    """Return a page; it knows who looks at it (`actor`, None for nobody), what they `may` do, and which pages of the
    navigation they can open (`opens`).

    Args:
        strip: what is on now.
    """
    actor: Actor | None = request.get(ACTOR)
    rights = {str(right): right for right in Right}

    def may(right: str, area: str) -> bool:
        return actor is not None and actor.may(rights[right], area)

    flashes = () if actor is None else request.app[CONTEXT].flashes.take(actor)
    span = request.query.get("span", DEFAULT)
    menu = [
        (page, spanned(page.path, span) if page.keeps_span and span in SPANS else page.path)
        for page in request.app.get(MENU, ())
        if may(str(page.right), page.area)
    ]

    def opens(path: str) -> bool:
        return any(page.path == path for page, _ in menu)

    known: Mapping[str, Any] = {
        "actor": actor, "may": may, "opens": opens, "path": request.path, "here": address_here(request), "menu": menu,
        "strip": strip, "flashes": flashes, **view.values,
    }  # fmt: skip
    text = _ENVIRONMENT.get_template(view.template).render(known)
    return web.Response(status=view.status, text=text, content_type="text/html", charset="utf-8")


def failed(request: web.Request, found: Problem) -> web.Response:
    """Return a problem as a page; who is not logged in is sent to do so, and back, unless a program shows a token."""
    is_program = "Authorization" in request.headers or request.path == _FIGURES
    if found.status == 401 and request.method == "GET" and PEER in request and not is_program:
        to = "/login" if request.path == "/" else f"/login?next={quote(request.path)}"
        return web.Response(status=303, headers={"Location": to})
    if found.status == 401 and not is_program:
        found = found.model_copy(update={"detail": _ENDED})
    try:
        strip = store_trouble(request.app[CONTEXT]) if ACTOR in request else ()
    except SinkholeError:
        strip = ()
    return render(request, View("problem.html", {"problem": found, "is_told": False}, found.status), strip)
