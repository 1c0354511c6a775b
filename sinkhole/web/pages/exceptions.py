"""Exceptions: those that somebody asks for first, with what led to it; approved, denied, revoked after a look."""

from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.exception_changes import approve_exception, revoke_exception
from sinkhole.app.hit_reference import Referred, find_reference
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.web.actor import Actor
from sinkhole.web.api.exceptions import (
    ExceptionBody,
    ExceptionPlace,
    ExceptionShown,
    States,
    approve,
    ask_for_exception,
    deny,
    grant_exception,
    revoke,
    show_exception,
)
from sinkhole.web.api.policy import clients_of, outlook
from sinkhole.web.model import Forced, Line, Model, Page, Paged, Word, part_of
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.fields import aware
from sinkhole.web.pages.look import Outlook, look
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.shapes import Hit

_ORDER = ("requested", "approved", "expired", "denied", "revoked")
_FIELDS = ("subject", "ends", "reason", "client", "group", "owner", "ticket")
_DECISIONS = {"approve": approve_exception, "revoke": revoke_exception}
"""Those that change what is answered."""


class ExceptionsAsked(Paged):
    """Which exceptions."""

    state: States | None = None
    text: Word | None = None


class NewAsked(Model):
    """What the form of a new exception begins with."""

    subject: Line = ""
    client: Line = ""
    group: Line = ""


def exceptions_page(state: State, query: ExceptionsAsked) -> View:
    """List exceptions: those that wait for a decision first, then those in force, the next to end first."""
    now = datetime.now(UTC)
    every = [(one, str(one.state_at(now))) for one in state.exceptions.all()]
    stands = [word for _, word in every]
    counts = {word: stands.count(word) for word in _ORDER}
    text = (query.text or "").lower()
    found = [(one, word) for one, word in every if query.state in (None, word) and (not text or _has(one, text))]
    found.sort(key=_place)
    shown, following = part_of(found, query, lambda pair: str(pair[0].id))
    return View("exceptions.html", {
        "asked": query, "found": Page(items=[ExceptionShown.of(one) for one, _ in shown], next=following),
        "all": len(every), "count": len(found), "counts": counts, "states": _ORDER,
    })  # fmt: skip


def _has(one: PolicyException, text: str) -> bool:
    told = (str(one.subject), one.scope, one.reason, one.owner, one.ticket, one.approver)
    return any(text in (word or "").lower() for word in told)


def _place(pair: tuple[PolicyException, str]) -> tuple[int, float, int]:
    one, word = pair
    ends = one.expires.timestamp()
    return _ORDER.index(word), ends if word in _ORDER[:2] else -ends, one.id


def exception_page(state: State, place: ExceptionPlace, actor: Actor) -> View:
    """Show an exception, what led to it, and what can be decided."""
    return _page(state, place, actor)


async def decide(request: web.Request, place: ExceptionPlace, actor: Actor) -> web.Response:
    """Look at a decision, or take it."""
    form = await form_of(request, "do", "look", "version", "force")

    def again(state: State, refused: Refused) -> View:
        return _page(state, place, actor, refused, form["do"] or form["look"])

    def ahead(state: State) -> View:
        show_exception(state, place)
        decision = _DECISIONS.get(form["look"])
        said = outlook(
            state, lambda: decision(state, place.number, force=True) if decision else None, actor,
            clients_of(state, place.number),
        )  # fmt: skip
        return _page(state, place, actor, None, form["look"], Outlook.of(said) if decision else None)

    def work(state: State) -> Done:
        notes: list[str] = []
        forced = Forced(force=bool(form["force"]))
        match form["do"]:
            case "approve":
                word, found = "approved", approve(state, place, forced, notes)
            case "deny":
                word, found = "denied", deny(state, place)
            case "revoke":
                word, found = "revoked", revoke(state, place, forced)
            case other:
                raise PolicyError(f"there is no decision {other!r}")
        said = f"Exception {found.id} on {found.subject} for {found.scope} was {word}."
        return Done("/exceptions", said, tuple(notes))

    if not form["do"]:
        return await look(request, ahead, again)
    guard = Guard(form["version"], lambda state: show_exception(state, place))
    return await change(request, work, again, guard, is_policy=form["do"] != "deny")


def new_page(state: State, query: NewAsked) -> View:
    """Show the form for a new exception."""
    return _form(state, {"subject": query.subject, "client": query.client, "group": query.group}, None)


async def save_new(request: web.Request, actor: Actor) -> web.Response:
    """Look at a new exception, ask for it, or approve it at once."""
    form = await form_of(request, "do", "force", *_FIELDS)

    def body() -> ExceptionBody:
        values = {name: form[name].strip() for name in _FIELDS}
        return body_of(ExceptionBody, values | {"ends": aware(values["ends"])})

    def again(state: State, refused: Refused) -> View:
        return _form(state, form, refused)

    def ahead(state: State) -> View:
        asked, query = body(), Forced(force=True)
        clients = [asked.client] if asked.client else []
        said = outlook(state, lambda: grant_exception(state, asked, query), actor, clients)
        return _form(state, form, None, Outlook.of(said))

    def work(state: State) -> Done:
        if form["do"] == "ask":
            found = ask_for_exception(state, body())
            return Done(f"/exceptions/{found.id}", "It was asked for, and counts once somebody approves it.")
        found = grant_exception(state, body(), Forced(force=bool(form["force"])))
        notes = (f"{found.owner} asked for it and approved it",) if found.own else ()
        return Done(f"/exceptions/{found.id}", f"Approved: {found.subject} for {found.scope}.", notes)

    if form["do"] not in ("ask", "approve"):
        return await look(request, ahead, again)
    return await change(request, work, again, is_policy=form["do"] == "approve")


def _form(state: State, form: dict[str, str], refused: Refused | None, outlook: Outlook | None = None) -> View:
    groups = [group.name for group in state.policy.groups()]
    shown = dict.fromkeys(_FIELDS, "") | form
    if shown["group"] and shown["group"] not in groups:
        groups.append(shown["group"])
    return View("exception_form.html", {"form": shown, "groups": groups, "refused": refused, "outlook": outlook})


def _page(
    state: State, place: ExceptionPlace, actor: Actor, refused: Refused | None = None, decision: str = "",
    outlook: Outlook | None = None,
) -> View:  # fmt: skip
    one = show_exception(state, place)
    referred = _referred(state, one) if actor.may(Right.REPORT, "hits") else None
    same = [
        ExceptionShown.of(other) for other in state.exceptions.in_force(datetime.now(UTC))
        if (str(other.subject), other.scope) == (one.subject, one.scope) and other.id != one.id
    ]  # fmt: skip
    return View("exception.html", {
        "one": one, "guard": version_of(one), "refused": refused, "decision": decision, "outlook": outlook,
        "referred": referred, "hits": [Hit.of(line) for line in referred.lines] if referred else [], "same": same,
        "is_asker": one.owner == actor.who, "is_open": one.state == ExceptionState.REQUESTED,
        "is_on": one.state == ExceptionState.APPROVED,
    })  # fmt: skip


def _referred(state: State, one: ExceptionShown) -> Referred | None:
    """Return the queries that the ticket leads to, where it is a reference of the block page."""
    if not one.ticket:
        return None
    try:
        return find_reference(state, one.ticket)
    except PolicyError:
        return None  # a ticket of another system
