"""The policy editor: a statement is written, looked at, and saved; nothing is saved that would break an expectation.

One form, and what its buttons do: `look` shows what it would do, `save` does it, `find` lists what the subject may be,
and each thing found is a button that puts it into the form. So it works without script.
"""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from sinkhole.app.policy_changes import stored_policy
from sinkhole.app.state import State
from sinkhole.app.statement_changes import TimeError, put_in_place, read_wish, remove_statement
from sinkhole.app.subject_search import Option, subjects_like
from sinkhole.errors import PolicyError
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Statement
from sinkhole.web.actor import Actor
from sinkhole.web.api.policy import StatementBody, StatementPlace, StatementShown, outlook, statement_of, store
from sinkhole.web.model import Line, Model
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.fields import aware, field_of, words
from sinkhole.web.pages.look import Outlook, look
from sinkhole.web.pages.policy import VERBS
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError

FIELDS = ("subject", "action", "group", "reason", "owner", "ticket", "expires", "schedule", "basis")
_BUTTONS = ("do", "pick", "version", "force")
_BASES = (("operator", "Operator: the house decided so"), ("law", "Law: it has to be so"),
          ("request", "Request: whoever uses it asked for it"))  # fmt: skip


class FormAsked(Model):
    """What the form begins with."""

    subject: Line = ""
    action: Literal["", "allow", "monitor", "coach", "block"] = "block"
    group: Line = ""


class FindAsked(Model):
    """What is looked for."""

    text: Line = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of the form says beside the form."""

    refused: Refused | None = None
    outlook: Outlook | None = None
    found: tuple[Option, ...] | None = None
    notes: tuple[str, ...] = ()


def new_page(state: State, query: FormAsked) -> View:
    """Show the form for a new statement."""
    form = dict.fromkeys(FIELDS, "") | {"subject": query.subject, "action": query.action, "group": query.group}
    return _page(state, form, None, Shown())


def edit_page(state: State, place: StatementPlace) -> View:
    """Show the form for a statement that there is."""
    one = statement_of(state, place.number)
    shown = StatementShown.of(one)
    form = {name: words(getattr(shown, name)) for name in FIELDS}
    return _page(state, form, one, Shown())


async def save_new(request: web.Request, actor: Actor) -> web.Response:
    """Look at a new statement, or save it."""
    return await _act(request, actor, None)


async def save_edited(request: web.Request, place: StatementPlace, actor: Actor) -> web.Response:
    """Look at a changed statement, or save it."""
    return await _act(request, actor, place.number)


def find_page(state: State, query: FindAsked) -> web.Response:
    """Return what a subject may be, for the script of the form."""
    return web.json_response([{"subject": one.subject, "said": one.said} for one in _found(state, query.text)])


def removal_page(state: State, place: StatementPlace) -> View:
    """Ask before a statement is removed."""
    return _removal(state, statement_of(state, place.number), None, None)


async def remove(request: web.Request, place: StatementPlace, actor: Actor) -> web.Response:
    """Look at the removal of a statement, or remove it."""
    form = await form_of(request, "do", "version", "force")

    def again(state: State, refused: Refused) -> View:
        return _removal(state, statement_of(state, place.number), refused, None)

    def ahead(state: State) -> View:
        one = statement_of(state, place.number)
        said = outlook(state, lambda: state.policy.remove(one.subject, one.group, one.schedule or "always"), actor)
        return _removal(state, one, None, Outlook.of(said))

    def work(state: State) -> Done:
        one = statement_of(state, place.number)
        remove_statement(state, one.subject, one.group, one.schedule or "always", force=bool(form["force"]))
        return Done("/policy", f"The statement on {one.subject} for {one.extent} was removed.")

    if form["do"] != "save":
        return await look(request, ahead, again)
    return await change(request, work, again, Guard(form["version"], stored_policy))


async def _act(request: web.Request, actor: Actor, number: int | None) -> web.Response:
    form = await form_of(request, *FIELDS, *_BUTTONS)
    if form["pick"]:
        form |= {"subject": form["pick"], "do": "pick"}

    def edited(state: State) -> Statement | None:
        return None if number is None else statement_of(state, number)

    def again(state: State, refused: Refused) -> View:
        return _page(state, form, edited(state), Shown(refused))

    def ahead(state: State) -> View:
        one = edited(state)
        if form["do"] == "find":
            return _page(state, form, one, Shown(found=tuple(_found(state, form["subject"]))))
        if form["do"] == "pick":
            return _page(state, form, one, Shown())
        wanted = _read(state, form)

        def save() -> Statement:
            return state.policy.put(wanted) if one is None else put_in_place(state, one, wanted)

        said = outlook(state, save, actor)
        return _page(state, form, one, Shown(outlook=Outlook.of(said), notes=_replaced(state, wanted, one)))

    def work(state: State) -> Done:
        one, notes = edited(state), []  # type: tuple[Statement | None, list[str]]
        stored = store(state, _read(state, form), notes, force=bool(form["force"]), instead_of=one)
        return Done("/policy", f"Saved: {stored.action} {stored.subject} for {stored.extent}.", tuple(notes))

    if form["do"] != "save":
        return await look(request, ahead, again)
    return await change(request, work, again, Guard(form["version"], stored_policy))


def _read(state: State, form: dict[str, str]) -> Statement:
    """Return the statement of a form.

    Raises:
        RequestError: 422, with the field.
    """
    values = {name: form[name].strip() for name in FIELDS}
    body = body_of(StatementBody, values | {"expires": aware(values["expires"])})
    if body.schedule is not None:
        with field_of("schedule"):
            schedule_from_text(body.schedule)
    try:
        return read_wish(state, body.to_wish())
    except TimeError as error:
        raise RequestError(422, f"{'expires' if error.of == 'until' else error.of}: {error}") from error
    except PolicyError as error:
        field = "basis" if body.basis is not None and body.action in ("allow", "monitor") else "subject"
        raise RequestError(422, f"{field}: {error}") from error


def _replaced(state: State, wanted: Statement, edited: Statement | None) -> tuple[str, ...]:
    """Say which other statement a wanted one takes the place of."""
    key = (wanted.subject, wanted.group, wanted.schedule)
    return tuple(
        f"It takes the place of: {one.action} {one.subject} for {one.extent}"
        + (f" ({one.reason})" if one.reason else "")
        for one in state.policy.statements()
        if (one.subject, one.group, one.schedule) == key and (edited is None or one.id != edited.id)
    )


def _found(state: State, text: str) -> list[Option]:
    lists = [feed.name for feed, _ in state.feeds.all() if feed.key is None]
    return subjects_like(text, state.catalogue().catalogue, lists)


def _page(state: State, form: dict[str, str], edited: Statement | None, shown: Shown) -> View:
    groups = [group.name for group in state.policy.groups()]
    if form["group"] and form["group"] not in groups:
        groups.append(form["group"])  # so that what was typed is kept, and refused by name
    return View("policy_form.html", {
        "form": form, "edited": None if edited is None else StatementShown.of(edited), "shown": shown,
        "groups": groups, "verbs": VERBS, "bases": _BASES, "guard": version_of(stored_policy(state)),
        "refused": shown.refused,
    })  # fmt: skip


def _removal(state: State, one: Statement, refused: Refused | None, outlook: Outlook | None) -> View:
    return View("policy_removal.html", {
        "one": StatementShown.of(one), "refused": refused, "outlook": outlook,
        "guard": version_of(stored_policy(state)),
    })  # fmt: skip
