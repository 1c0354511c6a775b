"""Pause, lockdown, and grants of coached clients: what goes before statements for a while."""

from datetime import UTC, datetime
from typing import Literal

from aiohttp import web

from sinkhole.app.state import State
from sinkhole.web.api.overrides import OverrideBody, OverridePlace, OverrideShown, end, lockdown, pause
from sinkhole.web.model import Model, Paged, page_of
from sinkhole.web.pages.change import Done, Refused, body_of, change
from sinkhole.web.pages.fields import aware
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of

_FIELDS = ("minutes", "ends", "group", "subjects", "reason")
_LENGTHS = (("15", "15 minutes"), ("30", "30 minutes"), ("60", "1 hour"), ("120", "2 hours"), ("480", "8 hours"),
            ("1440", "1 day"), ("10080", "7 days"))  # fmt: skip


class BeginPlace(Model):
    """What is begun."""

    kind: Literal["pause", "lockdown"]


def overrides_page(state: State, query: Paged) -> View:
    """Show what goes before statements now, and the forms that begin a pause or a lockdown."""
    return _page(state, query, None, "", {})


async def begin(request: web.Request, place: BeginPlace) -> web.Response:
    """Begin a pause or a lockdown."""
    form = await form_of(request, *_FIELDS)

    def work(state: State) -> Done:
        subjects = form["subjects"].replace(",", " ").split()
        values = {"group": form["group"], "reason": form["reason"].strip(), "subjects": subjects}
        when = {"ends": aware(form["ends"])} if form["ends"] else {"minutes": form["minutes"]}
        found = (pause if place.kind == "pause" else lockdown)(state, body_of(OverrideBody, values | when))
        return Done("/overrides", f"The {found.kind} for {found.scope} is on until {found.ends:%Y-%m-%d %H:%M} UTC.")

    return await change(request, work, lambda state, refused: _page(state, Paged(), refused, place.kind, form))


async def lift(request: web.Request, place: OverridePlace) -> web.Response:
    """End a pause, lockdown or grant before its time."""
    await form_of(request)

    def work(state: State) -> Done:
        found = end(state, place)
        return Done("/overrides", f"The {found.kind} for {found.scope} was lifted.")

    return await change(request, work, lambda state, refused: _page(state, Paged(), refused, "", {}))


def _page(state: State, query: Paged, refused: Refused | None, kind: str, form: dict[str, str]) -> View:
    found = sorted(
        map(OverrideShown.of, state.overrides.in_force(datetime.now(UTC))), key=lambda one: one.kind == "grant"
    )
    blank = dict.fromkeys(_FIELDS, "") | {"minutes": "60"}
    return View("overrides.html", {
        "found": page_of(found, query, lambda one: f"{one.kind}:{one.id}"), "asked": query, "refused": refused,
        "refused_kind": kind, "groups": [group.name for group in state.policy.groups()], "lengths": _LENGTHS,
        "forms": {word: blank | (form if word == kind else {}) for word in ("lockdown", "pause")},
    })  # fmt: skip
