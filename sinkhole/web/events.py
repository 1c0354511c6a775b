"""Server-sent events (HTML, section 9.2) for one listener: with heartbeats, for as long as its session holds."""

import asyncio
import time

from aiohttp import web

from sinkhole.app.rights import Right
from sinkhole.errors import SinkholeError
from sinkhole.web.actor import Actor
from sinkhole.web.admit import actor_of
from sinkhole.web.context import CONTEXT
from sinkhole.web.live import Event, Listener, Topic
from sinkhole.web.model import number_of_cursor
from sinkhole.web.problem import RequestError

HEARTBEAT = 15.0
"""Seconds between signs of life where nothing happens; then it is seen too whether the session still holds."""
LONGEST = 3600.0
_WRITE_WITHIN = 10.0
"""Seconds that a listener may take to read."""
_BEAT = b": still here\n\n"
_RETRY = b"retry: 3000\n\n"


async def stream(
    request: web.Request, actor: Actor, topic: Topic, right: Right, area: str, first: Event | None = None
) -> web.StreamResponse:
    """Tell a listener what happens, until it goes, is too slow, or may no longer.

    Args:
        first: what is told at once.

    Raises:
        RequestError: 503, there are too many listeners.
    """
    live = request.app[CONTEXT].live
    listener = live.join(actor.who, topic)
    if listener is None:
        raise RequestError(503, "too many listen already", headers={"Retry-After": "30"})
    try:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await _write(response, _RETRY if first is None else _RETRY + first.to_wire())
        told = 0
        for event in await _missed(request, topic):
            await _write(response, event.to_wire())
            told = max(told, event.number or 0)
        await _tell(request, response, listener, right, area, told)
    except (ConnectionError, TimeoutError):
        pass  # it has gone, or does not read
    finally:
        live.leave(listener)
    return response


async def _missed(request: web.Request, topic: Topic) -> list[Event]:
    """Return what a listener that comes again missed; what it was told last it says in `Last-Event-ID`."""
    last = number_of_cursor(request.headers.get("Last-Event-ID")) if topic is Topic.HITS else None
    if not last:
        return []
    try:
        async with asyncio.timeout(_WRITE_WITHIN):
            return await request.app[CONTEXT].live.missed(last)
    except (SinkholeError, TimeoutError):
        return []  # what comes from now on is told all the same


async def _tell(
    request: web.Request, response: web.StreamResponse, listener: Listener, right: Right, area: str, told: int
) -> None:
    """Tell a listener what happens; hits up to the number `told` it has."""
    ends = time.monotonic() + LONGEST
    looked = time.monotonic()
    while not listener.is_slow and time.monotonic() < ends:
        try:
            async with asyncio.timeout(HEARTBEAT):
                event = await listener.waiting.get()
        except TimeoutError:
            await _write(response, _BEAT)
        else:
            if event is None:
                return
            if event.number is None or event.number > told:
                await _write(response, event.to_wire())
        if time.monotonic() - looked >= HEARTBEAT:
            looked = time.monotonic()
            actor = await actor_of(request)
            if actor is None or not actor.may(right, area):
                return


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_WITHIN):
        await response.write(data)
