"""What a page that changes something does: change, put it in force, tell so on the next page; or show the form again.

How such a page is added: its line in `pages/table.py` is a `POST` with a coroutine function of `request`
(and `place`, `actor`, `context`, where it needs them), like

    async def save(request: web.Request) -> web.Response:
        form = await form_of(request, "name", "reason", "version", "force")

        def work(state: State) -> Done:
            body = body_of(GroupBody, {"name": form["name"], "reason": form["reason"]})  # a model of the API
            stored = …  # a function of sinkhole.app, which raises what it refuses
            return Done(f"/groups/{stored.name}", "The group was saved.")

        def again(state: State, refused: Refused) -> View:
            return View("group_form.html", {"form": form, "refused": refused})

        return await change(request, work, again, Guard(form["version"], lambda state: group_before(state, …)))

Its template shows the form with `form` in the fields, so what was typed is kept, and `refused` by the macro `refusal`
of `parts/form.html`, which adds a box to do it even so where an expectation would be broken. The page that shows the
form first gives `refused` None, and `version_of(…)` of what is changed as the hidden field `version`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sinkhole.app.apply import Applied, apply
from sinkhole.app.expectations import BrokenExpectationError
from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.web.context import ACTOR, CONTEXT, PEER
from sinkhole.web.flashes import Flash
from sinkhole.web.pages.asked import plain
from sinkhole.web.pages.render import render
from sinkhole.web.pages.route import View
from sinkhole.web.pages.strip import on_now
from sinkhole.web.problem import RequestError, invalid, problem_of
from sinkhole.web.repeats import Made, key_of

Body = TypeVar("Body", bound=BaseModel)
NOTHING = "none"
"""The version of what is not there."""
STALE = 412
_MENDABLE = (400, 409, STALE, 422)
"""What whoever filled the form in can mend there."""
_CHANGED_MEANWHILE = "somebody else changed it meanwhile; this is how it is now, with what you have entered"
_DONE_ALREADY = "This was done already, when the same form came the first time."


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made: the page to go to, what it tells there, and what is to be known of it."""

    to: str
    said: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a change was not made.

    Attributes:
        is_expectation: it breaks an expectation, and can be made even so.
        is_stale: what is changed is no longer what the form was made from.
    """

    said: str
    is_expectation: bool = False
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """Against two who change the same: the version that the form was made from, and what finds what there is now."""

    version: str
    current: Callable[[State], object]


def version_of(found: object) -> str:
    """Return the version of what a form changes: equal as long as it says the same.

    Args:
        found: a model, or a value whose `repr` says all of it; None: it is not there.
    """
    if found is None:
        return NOTHING
    text = found.model_dump_json() if isinstance(found, BaseModel) else repr(found)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def change(
    request: web.Request,
    work: Callable[[State], Done],
    again: Callable[[State, Refused], View],
    guard: Guard | None = None,
    *,
    is_policy: bool = True,
) -> web.Response:
    """Make a change as whoever is logged in, put it in force, and go on to a page that tells so.

    Args:
        work: makes it, in a thread with a state of its own.
        again: the page with the form, as it was sent, and why it is refused.
        is_policy: False: it needs not be put in force.

    Returns:
        The way to the next page, also where the same form came twice; or the form again, with status 400, 409 (an
        expectation), 412 (changed meanwhile) or 422.

    Raises:
        SinkholeError: it cannot be done now: too much waits, the store is broken, the server does not answer.
    """
    context, actor = request.app[CONTEXT], request[ACTOR]
    fields = [(name, str(value)) for name, value in (await request.post()).items()]
    key = key_of(actor.who, request.path, fields)

    def run(state: State) -> tuple[Done, Applied | None]:
        if guard is None:
            done = work(state)
            context.repeats.note(key, Made("", done.to))
        else:
            with state.store.transaction():  # so that nothing comes between the look and the change
                now = _version_now(guard, state)
                if now != guard.version:
                    made = context.repeats.find(key)
                    if made is None or made.version != now:
                        guard.current(state)  # says what is gone
                        raise RequestError(STALE, _CHANGED_MEANWHILE)
                    return Done(made.to, _DONE_ALREADY), None
                done = work(state)
                context.repeats.note(key, Made(_version_now(guard, state), done.to))
        return done, apply(state) if is_policy else None

    try:
        done, applied = await context.work.changers.do(actor.who, f"web from {request[PEER].address}", run)
    except SinkholeError as error:
        made = context.repeats.find(key) if guard is None and problem_of(error)[0].status in _MENDABLE else None
        if made is None:
            return await shown_again(request, again, error)
        done, applied = Done(made.to, _DONE_ALREADY), None  # what stands in its way is what it made itself
    context.flashes.put(actor, *_told(done, applied))
    return web.Response(status=303, headers={"Location": done.to})


def _version_now(guard: Guard, state: State) -> str:
    try:
        return version_of(guard.current(state))
    except RequestError:  # it is gone
        return NOTHING


async def shown_again(
    request: web.Request, again: Callable[[State, Refused], View], error: SinkholeError
) -> web.Response:
    """Show the form again, with why it was refused.

    Raises:
        SinkholeError: the error itself, where whoever filled the form in can mend nothing.
    """
    found, _ = problem_of(error)
    if found.status not in _MENDABLE:
        raise error
    context, actor = request.app[CONTEXT], request[ACTOR]
    refused = Refused(str(error), isinstance(error, BrokenExpectationError), found.status == STALE)

    def show(state: State) -> web.Response:
        view = again(state, refused)
        return render(request, View(view.template, view.values, found.status), on_now(state, actor, context))

    return await context.work.readers.do(show)


def _told(done: Done, applied: Applied | None) -> list[Flash]:
    """Return the sentences of the next page: what was done, how far it is in force, and what is to be known."""
    found = [Flash(done.said)] + [Flash(note, "warn") for note in done.notes]
    if applied is not None:
        found.append(Flash(f"It is {applied}.", "warn" if applied.late else "good"))
        found += [Flash(f"Without the new version of feed {why}", "warn") for why in applied.refused.values()]
    return found


def body_of(model: type[Body], values: Mapping[str, Any]) -> Body:
    """Return a model of the API with the values of a form; those that are empty are left out.

    Raises:
        RequestError: 422, what is wrong first, with the field.
    """
    try:
        return model.model_validate({name: value for name, value in values.items() if value not in ("", None)})
    except ValidationError as error:
        found = invalid("form", error)
        raise RequestError(422, plain(str(found)), found.errors) from error
