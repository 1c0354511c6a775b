"""Serve a route of the API: admit, validate, work in a thread, and answer with what the model says."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from sinkhole.app.apply import Applied, apply
from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.web.actor import Actor
from sinkhole.web.admit import admit
from sinkhole.web.context import CONTEXT, PEER
from sinkhole.web.etag import etag_of, is_in
from sinkhole.web.model import Model
from sinkhole.web.problem import RequestError, invalid, problem_of
from sinkhole.web.route import Kind, Route, arguments

MOST_OCTETS = 256 * 1024
"""Of the body of a request."""
_BODY_WITHIN = 10.0
_JSON = "application/json"
_IF_MATCH, _IF_NONE_MATCH = "If-Match", "If-None-Match"
Result = TypeVar("Result")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Changed(Model, Generic[Result]):
    """What a change made, and whether it is in force."""

    result: Result
    generation: int = Field(description="Of policy that has it.")
    in_force: bool = Field(description="Every worker answers by it.")
    late_workers: int | None = Field(description="How many do not yet; null: no server runs.")
    refused_feeds: dict[str, str] = Field(
        description="Feeds without their new version, since it breaks an expectation."
    )
    notes: list[str] = Field(description="What is to be known of the change.")


def handler_of(route: Route) -> Handler:
    """Return what serves a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        actor = await admit(request, route.right, route.area)
        known = await _known(request, route) | {"actor": actor, "context": request.app[CONTEXT], "request": request}
        match route.kind:
            case Kind.LIVE | Kind.OWN:
                response: web.StreamResponse = await route.work(**arguments(route.work, known))
                return response
            case Kind.READ:
                found = await request.app[CONTEXT].work.readers.do(lambda state: _read(route, known, state))
                return _answer(request, *found, status=route.status)
            case _ if actor is not None:
                return _answer(request, *await _change(request, route, known, actor), status=route.status)
            case _:
                raise RequestError(500, "a change takes a right, and this route has none")

    async def refused(request: web.Request) -> web.StreamResponse:
        try:
            return await handle(request)
        except SinkholeError as error:
            found, headers = problem_of(error, route.refusal)
            raise RequestError(found.status, found.detail, found.errors, headers) from error

    return refused


async def _known(request: web.Request, route: Route) -> dict[str, Any]:
    """Return the validated parts of a request by name.

    Raises:
        RequestError: 400 for what a model refuses, 413 and 415 for a body that is none.
    """
    known: dict[str, Any] = {"place": None, "query": None, "body": None}
    if route.place is not None:
        known["place"] = _valid("path", route.place, dict(request.match_info))
    if route.query is not None:
        known["query"] = _valid("query", route.query, _query(request))
    elif request.query_string:
        raise RequestError(400, "this address takes no query")
    if route.body is not None:
        known["body"] = _json("body", route.body, await _body(request))
    return known


def _query(request: web.Request) -> dict[str, str]:
    repeated = [name for name in request.query if len(request.query.getall(name)) > 1]
    if repeated:
        raise RequestError(400, f"query.{repeated[0][:100]}: is given more than once")
    return dict(request.query)


async def _body(request: web.Request) -> bytes:
    expect_plain(request)
    if request.content_type != _JSON:
        raise RequestError(415, f"the body of a request is {_JSON}")
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            return await request.read()
    except TimeoutError:
        raise RequestError(400, f"the body did not come within {_BODY_WITHIN:g} seconds") from None
    except web.RequestPayloadError as error:
        raise RequestError(400, "the body cannot be read") from error


def expect_plain(request: web.Request) -> None:
    """Refuse a body that is compressed: it may be no such thing, or grow a thousandfold.

    Raises:
        RequestError: 415.
    """
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise RequestError(415, "a body is taken as it is, without Content-Encoding")


def _valid(part: str, model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(part, error) from error


def _json(part: str, model: type[BaseModel], text: bytes) -> BaseModel:
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise invalid(part, error) from error


Answer = tuple[bytes, str | None]
"""JSON, and the tag of what it is about."""


def _read(route: Route, known: dict[str, Any], state: State) -> Answer:
    found: BaseModel = route.work(**arguments(route.work, known | {"state": state}))
    text = found.model_dump_json()
    return text.encode(), etag_of(found)


async def _change(request: web.Request, route: Route, known: dict[str, Any], actor: Actor) -> Answer:
    matches = request.headers.get(_IF_MATCH), request.headers.get(_IF_NONE_MATCH)

    def work(state: State) -> Answer:
        notes: list[str] = []
        given = known | {"state": state, "notes": notes}
        if route.current is not None and matches != (None, None):
            with state.store.transaction():  # so that nothing comes between the look and the change
                _expect_match(route.current(**arguments(route.current, given)), *matches)
                result = route.work(**arguments(route.work, given))
        else:
            result = route.work(**arguments(route.work, given))
        tag = etag_of(result)
        if route.kind is not Kind.CHANGE:
            return result.model_dump_json().encode(), tag
        applied = apply(state)
        if route.then is not None:
            route.then(**arguments(route.then, given))
        return _changed(route, result, applied, notes).model_dump_json().encode(), tag

    origin = f"web from {request[PEER].address}"
    return await request.app[CONTEXT].work.changers.do(actor.who, origin, work)


def _changed(route: Route, result: BaseModel, applied: Applied, notes: list[str]) -> BaseModel:
    return Changed[route.answer](  # type: ignore[name-defined]
        result=result, generation=applied.generation, in_force=applied.late == 0, late_workers=applied.late,
        refused_feeds=dict(applied.refused), notes=notes,
    )  # fmt: skip


def _expect_match(before: BaseModel | None, if_match: str | None, if_none_match: str | None) -> None:
    """Refuse a change of what is no longer what the caller has seen (RFC 9110, sections 13.1.1 and 13.1.2).

    Raises:
        RequestError: 412.
    """
    tag = None if before is None else etag_of(before)
    if if_match is not None and not is_in(tag, if_match):
        raise RequestError(412, "it was changed meanwhile; look at it again")
    if if_none_match is not None and is_in(tag, if_none_match):
        raise RequestError(412, "there is one already")


def answer_with(found: BaseModel, status: int) -> web.Response:
    """Return an answer that is not about something in the store."""
    return web.Response(status=status, body=found.model_dump_json().encode(), content_type=_JSON)


def _answer(request: web.Request, body: bytes, tag: str | None, *, status: int) -> web.Response:
    headers = {} if tag is None else {"ETag": tag}
    is_read = request.method == "GET"
    if is_read:
        headers["Cache-Control"] = "private, no-cache"
        if tag is not None and is_in(tag, request.headers.get(_IF_NONE_MATCH, "")):
            return web.Response(status=304, headers=headers)
    return web.Response(status=status, body=body, content_type=_JSON, headers=headers)
