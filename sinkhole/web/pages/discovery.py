"""The queue of names that look like AI: what shows it, and what people say of them, one at a time or many at once."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from sinkhole.app.discovery import Wanted, accept, ignore, reopen
from sinkhole.app.expectations import BrokenExpectationError
from sinkhole.app.state import State
from sinkhole.errors import SinkholeError
from sinkhole.store.candidates import CandidateState
from sinkhole.web.api.discover import (
    AcceptBody,
    CandidatePlace,
    CandidateQuery,
    CandidateShown,
    candidate_now,
    list_candidates,
    show_candidate,
)
from sinkhole.web.model import Paged, Word, page_of, whole
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.fields import ticked
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError

MOST_AT_ONCE = 100
_FIELDS = ("do", "belongs", "category", "reason")
_TOLD = 5
"""Refusals of many that are told one by one."""


class QueueAsked(Paged):
    """Which names."""

    state: Literal["new", "accepted", "ignored"] = "new"
    min_count: Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(whole)] = 0
    text: Word | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE), BeforeValidator(whole)] = 50


def queue_page(state: State, query: QueueAsked) -> View:
    """List names that look like AI, those with the most answers first."""
    return _queue(state, query, None, {}, [])


def candidate_page(state: State, place: CandidatePlace) -> View:
    """Show a name that looks like AI, with what shows it."""
    return _page(state, place, None, {})


async def decide_many(request: web.Request) -> web.Response:
    """Accept, ignore or reopen the names that are ticked, each by itself."""
    form = await form_of(request, "domain", "state", *_FIELDS)
    domains = list(dict.fromkeys(await ticked(request, "domain")))
    which = form["state"] if form["state"] in ("new", "accepted", "ignored") else "new"
    asked = QueueAsked.model_validate({"state": which})

    def work(state: State) -> Done:
        if not 1 <= len(domains) <= MOST_AT_ONCE:
            raise RequestError(422, f"domains: tick those that are meant, {MOST_AT_ONCE} at most")
        _expect(form)
        done, refused = 0, []  # type: tuple[int, list[SinkholeError]]
        for domain in domains:
            try:
                _decide(state, body_of(CandidatePlace, {"domain": domain}).domain, form, force=False)
                done += 1
            except SinkholeError as error:
                refused.append(error)
        if not done:
            raise refused[0]
        return Done(f"/discover?state={which}", f"{_past(form['do'])}: {_names(done)}.", _notes(refused))

    return await change(request, work, lambda state, refused: _queue(state, asked, refused, form, domains))


async def decide(request: web.Request, place: CandidatePlace) -> web.Response:
    """Accept, ignore or reopen one name."""
    form = await form_of(request, "version", "force", *_FIELDS)

    def work(state: State) -> Done:
        show_candidate(state, place)
        _expect(form)
        _decide(state, place.domain, form, force=bool(form["force"]))
        return Done("/discover", f"{_past(form['do'])}: {place.domain}.")

    def again(state: State, refused: Refused) -> View:
        return _page(state, place, refused, form)

    return await change(request, work, again, Guard(form["version"], lambda state: _standing(state, place)))


def _decide(state: State, domain: str, form: dict[str, str], *, force: bool) -> None:
    match form["do"]:
        case "accept":
            body = body_of(AcceptBody, _belonging(form))
            accept(state, domain, Wanted(body.vendor, body.product, body.category), force=force)
        case "ignore":
            ignore(state, domain, form["reason"].strip() or None, force=force)
        case _:
            reopen(state, domain, force=force)


def _expect(form: dict[str, str]) -> None:
    if form["do"] not in ("accept", "ignore", "reopen"):
        raise RequestError(422, "do: wanted accept, ignore or reopen")
    if len(form["reason"]) > 500 or not form["reason"].isprintable():
        raise RequestError(422, "reason: wanted at most 500 characters of one line")


def _belonging(form: dict[str, str]) -> dict[str, str]:
    """Return vendor or product as the field says it: an id, or as a subject is written."""
    text = form["belongs"].strip().removeprefix("vendor:")
    is_product = text.startswith("product:") or "/" in text
    key = "product" if is_product else "vendor"
    return {key: text.removeprefix("product:"), "category": form["category"]}


def _past(verb: str) -> str:
    return {"accept": "Accepted", "ignore": "Ignored", "reopen": "Waiting again"}[verb]


def _names(count: int) -> str:
    return "1 name" if count == 1 else f"{count} names"


def _notes(refused: list[SinkholeError]) -> tuple[str, ...]:
    told = [f"Not done: {error}" for error in refused[:_TOLD]]
    if any(isinstance(error, BrokenExpectationError) for error in refused):
        told.append("What breaks an expectation can be done even so on the page of the name.")
    if len(refused) > _TOLD:
        told.append(f"Not done either: {_names(len(refused) - _TOLD)} more.")
    return tuple(told)


def _standing(state: State, place: CandidatePlace) -> object:
    """Return what a decision rests on: not how often it was asked for meanwhile."""
    found = candidate_now(state, place)
    return None if found is None else (found.state, found.product, found.note)


def _queue(state: State, query: QueueAsked, refused: Refused | None, form: dict[str, str], chosen: list[str]) -> View:
    asked = CandidateQuery(state=query.state, min_count=query.min_count, limit=query.limit, cursor=query.cursor)
    if query.text is None:
        found = list_candidates(state, asked)
    else:
        found = page_of(_all(state, query), query, lambda one: one.domain)
    counts = {str(one): len(state.candidates.domains(one)) for one in CandidateState}
    return View("discovery.html", {
        "asked": query, "found": found, "counts": counts, "refused": refused, "chosen": chosen,
        "form": dict.fromkeys(_FIELDS, "") | form, "categories": _categories(state),
    })  # fmt: skip


def _all(state: State, query: QueueAsked) -> list[CandidateShown]:
    text = (query.text or "").lower()
    every: list[CandidateShown] = []
    cursor: str | None = None
    while True:
        page = list_candidates(
            state, CandidateQuery(state=query.state, min_count=query.min_count, limit=500, cursor=cursor)
        )
        every += [one for one in page.items if any(text in word for word in (one.domain, *one.examples, *one.reasons))]
        cursor = page.next
        if cursor is None:
            return every


def _page(state: State, place: CandidatePlace, refused: Refused | None, form: dict[str, str]) -> View:
    return View("candidate.html", {
        "one": show_candidate(state, place), "clients": state.candidates.clients(place.domain), "refused": refused,
        "guard": version_of(_standing(state, place)), "form": dict.fromkeys(_FIELDS, "") | form,
        "categories": _categories(state),
    })  # fmt: skip


def _categories(state: State) -> list[tuple[str, str]]:
    """Return the categories by their ids, with what people call them."""
    return sorted((key, entry.name) for key, entry in state.catalogue().catalogue.categories.items())
