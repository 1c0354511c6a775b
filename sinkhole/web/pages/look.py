"""A page that shows what a change would do before it is made, and keeps the form: a POST that changes nothing."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.web.context import ACTOR, CONTEXT, PEER
from sinkhole.web.pages.change import Refused, shown_again
from sinkhole.web.pages.render import render
from sinkhole.web.pages.route import View
from sinkhole.web.pages.strip import on_now

_BREAKS = "it breaks the expectation "


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change would do: sentences about queries and names, and the expectations that it would break."""

    said: tuple[str, ...]
    breaks: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[str]) -> "Outlook":
        """Sort the sentences of `sinkhole.app.preview.preview`."""
        return cls(
            tuple(_capital(one) for one in sentences if not one.startswith(_BREAKS)),
            tuple(one.removeprefix(_BREAKS) for one in sentences if one.startswith(_BREAKS)),
        )


def _capital(sentence: str) -> str:
    plain = re.sub(r"^impact (?=\d|for )", "", sentence)
    return plain[:1].upper() + plain[1:]


async def look(
    request: web.Request, work: Callable[[State], View], again: Callable[[State, Refused], View]
) -> web.Response:
    """Show a page that is made with a state that may write: a preview makes its change and takes it back.

    Args:
        again: the page with the form, as it was sent, and why it cannot be done.

    Raises:
        SinkholeError: it cannot be done now.
    """
    context, actor = request.app[CONTEXT], request[ACTOR]
    try:
        return await context.work.changers.do(
            actor.who, f"web from {request[PEER].address}",
            lambda state: render(request, work(state), on_now(state, actor, context)),
        )  # fmt: skip
    except SinkholeError as error:
        return await shown_again(request, again, error)
