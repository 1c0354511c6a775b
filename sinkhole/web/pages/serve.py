"""Serve a page: admit, work in a thread or on the loop, render; and the files that pages load."""

import asyncio
import hashlib
import inspect
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from aiohttp import web

from sinkhole.app.state import State
from sinkhole.web.admit import admit
from sinkhole.web.context import CONTEXT
from sinkhole.web.etag import is_in
from sinkhole.web.pages.asked import asked_of
from sinkhole.web.pages.render import render
from sinkhole.web.pages.route import PageRoute, View
from sinkhole.web.pages.strip import on_now
from sinkhole.web.problem import RequestError, not_found
from sinkhole.web.route import arguments
from sinkhole.web.serve_api import Handler, expect_plain

STATIC: Final = "/static/{file}"
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FORM = "application/x-www-form-urlencoded"
_FORM_WITHIN = 10.0


def page_handler(route: PageRoute) -> Handler:
    """Return what serves a page."""

    async def handle(request: web.Request) -> web.StreamResponse:
        actor = await admit(request, route.right, route.area)
        context = request.app[CONTEXT]
        known = {"actor": actor, "context": context, "request": request, **asked_of(request, route.work)}

        def read(state: State) -> web.StreamResponse:
            found = route.work(**arguments(route.work, known | {"state": state}))
            if not isinstance(found, View):
                response: web.StreamResponse = found
                return response
            # Here too: a page of thousands of cells takes longer than the event loop may be held.
            return render(request, found, () if actor is None else on_now(state, actor, context))

        if not inspect.iscoroutinefunction(route.work):
            return await context.work.readers.do(read)
        found = await route.work(**arguments(route.work, known))
        return render(request, found) if isinstance(found, View) else found

    return handle


async def form_of(request: web.Request, *names: str) -> dict[str, str]:
    """Return the fields of a form that was sent, empty where one is missing.

    Raises:
        RequestError: it is no form, or holds something else.
    """
    expect_plain(request)
    if request.content_type != _FORM:
        raise RequestError(415, f"the body of a form is {_FORM}")
    try:
        async with asyncio.timeout(_FORM_WITHIN):
            given = await request.post()
    except TimeoutError:
        raise RequestError(400, f"the form did not come within {_FORM_WITHIN:g} seconds") from None
    except (ValueError, LookupError, web.RequestPayloadError) as error:  # LookupError: there is no such charset
        raise RequestError(400, "the form cannot be read") from error
    unknown = [name for name in given if name not in names]
    if unknown:
        raise RequestError(400, "the form has a field that is not asked for")
    return {name: str(given.get(name, "")) for name in names}


def static_files() -> Mapping[str, tuple[bytes, str, str]]:
    """Return the files that pages load, by name: octets, type and tag. There are no others to be had."""
    found = {}
    for path in files("sinkhole.web").joinpath("static").iterdir():
        kind = _TYPES.get(path.name.rpartition(".")[2])
        if kind is not None:
            data = path.read_bytes()
            found[path.name] = (data, kind, f'"{hashlib.sha256(data).hexdigest()[:32]}"')
    return found


def static_handler(known: Mapping[str, tuple[bytes, str, str]]) -> Handler:
    """Return what serves them, to anyone: they are in every installation."""

    async def handle(request: web.Request) -> web.StreamResponse:
        found = known.get(request.match_info["file"])
        if found is None:
            raise not_found("such file")
        data, kind, tag = found
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if is_in(tag, request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=headers)
        return web.Response(body=data, content_type=kind, charset="utf-8", headers=headers)

    return handle
