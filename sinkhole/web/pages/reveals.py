"""Who a pseudonym of a report is: told to whoever gives a reason, which the audit log notes first."""

from typing import Any

from aiohttp import web

from sinkhole.app.reveal import reveal
from sinkhole.app.state import State
from sinkhole.web.actor import Actor
from sinkhole.web.context import PEER, Context
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError

_EMPTY: dict[str, Any] = {
    "form": {"pseudonym": "", "reason": ""}, "refused": None, "found": None, "is_told": False,
}  # fmt: skip
_NOBODY_CAN = "clients are stored as pseudonyms (record.clients), which nobody can turn back"


def reveal_form() -> View:
    """Ask which pseudonym is to be revealed, and why."""
    return View("reveal.html", _EMPTY)


async def reveal_client(request: web.Request, context: Context, actor: Actor) -> View:
    """Tell who a pseudonym is. The answer is this page and no other, so that it is not kept to be told later."""
    form = await form_of(request, "pseudonym", "reason")
    values, origin = _EMPTY | {"form": form}, f"web from {request[PEER].address}"
    pseudonym, reason = form["pseudonym"].strip(), form["reason"].strip()
    if not pseudonym or not reason or len(pseudonym) > 100 or len(reason) > 500:
        refused = "wanted a pseudonym, and a reason of up to 500 characters"
        return View("reveal.html", values | {"refused": refused}, 422)
    try:
        found = await context.work.changers.do(actor.who, origin, lambda state: _reveal(state, pseudonym, reason))
    except RequestError as error:
        return View("reveal.html", values | {"refused": str(error)}, error.status)
    return View("reveal.html", values | {"found": found, "is_told": True})


def _reveal(state: State, pseudonym: str, reason: str) -> str | None:
    if state.settings.record.clients == "pseudonym":  # no fault of the store, as which it would be told
        raise RequestError(422, _NOBODY_CAN)
    return reveal(state, pseudonym, reason)
