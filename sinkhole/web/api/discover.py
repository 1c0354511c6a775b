"""Names that look like AI and wait for people: see them, accept them as a vendor's, ignore them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from sinkhole.app.discovery import Wanted, accept, ignore, reopen
from sinkhole.app.state import State
from sinkhole.catalogue.search import Owners
from sinkhole.store.candidates import Candidate, CandidateState
from sinkhole.web.model import Forced, Line, Model, Page, Paged, Word, moment, part_of, whole
from sinkhole.web.problem import not_found


class CandidatePlace(Model):
    """A domain that looks like AI."""

    domain: Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9_*-]+(\.[a-z0-9_*-]+)*$")]


class CandidateQuery(Paged):
    """Which of them."""

    state: Literal["new", "accepted", "ignored"] | None = Field("new", description="What people said of it.")
    min_count: Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(whole)] = Field(
        0, description="Only those that were answered so often."
    )


class AcceptBody(Model):
    """Where it is accepted; what is left out is what fits."""

    vendor: Word | None = Field(None, description="Vendor of the catalogue, or id of a new one.")
    product: Word | None = Field(None, description="Product of the vendor, or slug of a new one.")
    category: Word | None = Field(None, description="Category of a new product.")


class IgnoreBody(Model):
    """Why it is no candidate."""

    reason: Line | None = None


class CandidateShown(Model):
    """A domain that looks like AI, and what was said of it."""

    domain: str
    state: str
    reasons: list[str]
    examples: list[str]
    count: int
    clients: int | None
    first: datetime
    last: datetime
    product: str | None
    note: str | None
    known_as: str | None = Field(description="What of the catalogue has it by now.")

    @classmethod
    def of(cls, one: Candidate, owner: str | None, clients: int | None) -> "CandidateShown":
        """Return a candidate."""
        return cls(
            domain=one.domain, state=one.state.value, reasons=list(one.reasons), examples=list(one.examples),
            count=one.count, clients=clients, first=moment(one.first), last=moment(one.last), product=one.product,
            note=one.note, known_as=owner,
        )  # fmt: skip


def list_candidates(state: State, query: CandidateQuery) -> Page[CandidateShown]:
    """List names that look like AI, those with the most answers first."""
    wanted = None if query.state is None else CandidateState(query.state)
    found, following = part_of(state.candidates.all(wanted, query.min_count), query, lambda one: one.domain)
    owners, clients = Owners(state.catalogue().catalogue), state.candidates.client_counts()
    shown = [CandidateShown.of(one, owners.of(one.domain), clients.get(one.domain)) for one in found]
    return Page[CandidateShown](items=shown, next=following)


def show_candidate(state: State, place: CandidatePlace) -> CandidateShown:
    """Show what is known of a name that looks like AI."""
    return _shown(state, place.domain)


def accept_candidate(state: State, place: CandidatePlace, body: AcceptBody, query: Forced) -> CandidateShown:
    """Let a domain, and all below it, be one of a vendor."""
    _of(state, place.domain)
    accept(state, place.domain, Wanted(body.vendor, body.product, body.category), force=query.force)
    return _shown(state, place.domain)


def ignore_candidate(state: State, place: CandidatePlace, body: IgnoreBody, query: Forced) -> CandidateShown:
    """Let a domain, and all below it, be no candidate any more."""
    _of(state, place.domain)
    ignore(state, place.domain, body.reason, force=query.force)
    return _shown(state, place.domain)


def reopen_candidate(state: State, place: CandidatePlace, query: Forced) -> CandidateShown:
    """Let a domain wait for review again."""
    _of(state, place.domain)
    reopen(state, place.domain, force=query.force)
    return _shown(state, place.domain)


def candidate_now(state: State, place: CandidatePlace) -> CandidateShown | None:
    """Return the candidate as it is, or None."""
    return None if state.candidates.find(place.domain) is None else _shown(state, place.domain)


def _of(state: State, domain: str) -> Candidate:
    found = state.candidates.find(domain)
    if found is None:
        raise not_found(f"candidate {domain!r}")
    return found


def _shown(state: State, domain: str) -> CandidateShown:
    found = _of(state, domain)
    owner = Owners(state.catalogue().catalogue).of(domain)
    return CandidateShown.of(found, owner, state.candidates.client_counts().get(domain))
