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
_NAMES = re.compile(r"impact for (?:(clients in no group)|group (\S+)): (.+)", re.DOTALL)
_MOST_GROUPS = 12
"""Groups named in one sentence."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change would do: sentences about queries and names, and the expectations that it would break."""

    said: tuple[str, ...]
    breaks: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Sequence[str]) -> "Outlook":
        """Sort the sentences of `sinkhole.app.preview.preview`."""
        return cls(
            tuple(_capital(one) for one in _merged(sentences) if not one.startswith(_BREAKS)),
            tuple(one.removeprefix(_BREAKS) for one in sentences if one.startswith(_BREAKS)),
        )


def _merged(sentences: Sequence[str]) -> list[str]:
    """Return the sentences, with one for all groups whose names would get the same other verdict."""
    found: dict[str, list[str | None]] = {}
    for sentence in sentences:
        told = _NAMES.fullmatch(sentence)
        if told is None:
            found[sentence] = []
        else:
            found.setdefault(told[3], []).append(told[2])
    return [f"for {_whom(whom)}: {_arrow(said)}" if whom else said for said, whom in found.items()]


def _whom(groups: Sequence[str | None]) -> str:
    """Return whom a sentence is about; None among them is who is in no group."""
    named = [one for one in groups if one is not None]
    shown = ", ".join(named[:_MOST_GROUPS]) + (f" and {len(named) - _MOST_GROUPS} more" * (len(named) > _MOST_GROUPS))
    about_groups = f"group{'s' * (len(named) > 1)} {shown}" if named else ""
    return " and ".join(filter(None, ("clients in no group" if None in groups else "", about_groups)))


def _arrow(said: str) -> str:
    return re.sub(r"(known names?) (\w+) -> (\w+)", r"\1: \2 → \3", said)


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
