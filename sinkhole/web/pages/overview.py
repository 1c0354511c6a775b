"""The first page: attempts over time, who and what is at the top, what is new, and how the server stands."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sinkhole.app.doctor import examine, feed_findings
from sinkhole.app.doctor_policy import exception_findings
from sinkhole.app.finding import Finding, Grade
from sinkhole.app.hit_reports import count_hits
from sinkhole.app.policy_moves import policy_moves
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.catalogue.load import Catalogue
from sinkhole.store.candidates import CandidateState
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.recorder import dropped
from sinkhole.store.reports import Reports, Tally
from sinkhole.web.actor import Actor
from sinkhole.web.context import Context
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import HOUR, SPANS, Spanned, Times, spanned, times_of
from sinkhole.web.pages.trend import Drawn, draw, trend_of

CHEAP = ("permissions", "disk", "page")
"""Checks of `sinkhole doctor` that look at files alone; those of feeds and exceptions are cheap with a store that is
open."""
_MOST_FINDINGS = 12
_TOP = 8
_NEW_DAYS = 7
_MOST_NEW = 20
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row of a ranked list; `link` is None where there is no page about it."""

    name: str
    attempts: int
    clients: int
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with the queries for vendors."""

    blocked: int
    coached: int
    allowed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.blocked + self.coached + self.allowed

    def share(self, count: int) -> float:
        """Return the share of one of them, from 0 to 1."""
        return count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was recorded in a time."""

    drawn: Drawn
    clients: int
    attempts: int
    vendors: int
    done: Done
    top_vendors: tuple[Ranked, ...]
    top_clients: tuple[Ranked, ...]
    categories: tuple[Ranked, ...]
    jurisdictions: tuple[Ranked, ...]
    new: tuple[Ranked, ...] | None


@dataclass(frozen=True, slots=True)
class Health:
    """How the server stands.

    `age_days` is of the feed whose content is the oldest, None where there is none; `more` is how many findings
    there are beyond those that are told.
    """

    generation: int
    workers: int
    late: int
    store: str
    listen: tuple[str, ...]
    started: float
    catalogue: int
    feeds: int
    age_days: int | None
    dropped: int
    requested: int
    waiting: int
    findings: tuple[Finding, ...]
    more: int


def overview(state: State, actor: Actor, context: Context, query: Spanned) -> View:
    """Show what was recorded, as far as the actor may see it, and how the server stands."""
    catalogue, times = state.catalogue().catalogue, times_of(query.span)
    figures = figures_of(state, catalogue, times, query.span) if actor.may(Right.REPORT, "reports") else None
    choices = [(spanned("/", span), words) for span, words in SPANS.items()]
    return View(
        "overview.html",
        {"figures": figures, "health": _health(state, context, catalogue), "times": times, "span": query.span,
         "choices": choices, "new_days": _NEW_DAYS},
    )  # fmt: skip


def figures_of(state: State, catalogue: Catalogue, times: Times, span: str) -> Figures:
    """Return what was recorded in a time."""
    names = {vendor.id: vendor.name for vendor in catalogue.vendors}
    reports = Reports(state.store, state.settings.record.attempt_window)
    by = {
        column: count_hits(reports, catalogue, column, times.since, times.until)
        for column in ("vendor", "client", "category", "jurisdiction")
    }
    vendors = by["vendor"]
    done = Done(*(sum(getattr(one, name) for one in vendors) for name in ("blocked", "coached", "allowed")))
    asking = [one for one in by["client"] if one.key]
    return Figures(
        drawn=draw("trend", trend_of(state, times), times, names, policy_moves(state, times.since)),
        clients=len(asking), attempts=sum(one.attempts for one in vendors), vendors=len(vendors), done=done,
        top_vendors=_ranked(vendors, lambda key: (names.get(key, key), spanned(_page_of(key), span))),
        top_clients=_ranked(asking, lambda key: (key, spanned(f"/clients/{quote(key, safe='')}", span))),
        categories=_ranked(
            by["category"],
            lambda key: (_category(catalogue, key), spanned("/vendors", span, category=key)),
        ),
        jurisdictions=_ranked(
            by["jurisdiction"],
            lambda key: ("not known" if key == "ZZ" else key, spanned("/vendors", span, jurisdiction=key)),
        ),
        new=_new(state, reports, catalogue, names, times.until),
    )  # fmt: skip


def _category(catalogue: Catalogue, key: str) -> str:
    entry = catalogue.categories.get(key)
    return key if entry is None else entry.name


def _ranked(tallies: Sequence[Tally], named: Callable[[str], tuple[str, str | None]]) -> tuple[Ranked, ...]:
    found = []
    for one in tallies[:_TOP]:
        name, link = named(one.key or "")
        found.append(Ranked(name, one.attempts, one.clients, link))
    return tuple(found)


def _page_of(vendor: str) -> str:
    return f"/vendors/{quote(vendor, safe='')}"


def _new(
    state: State, reports: Reports, catalogue: Catalogue, names: Mapping[str, str], until: int
) -> tuple[Ranked, ...] | None:
    """Return the vendors that were tried in the last week and never before; None where nothing older is recorded."""
    since = until // HOUR * HOUR - _NEW_DAYS * _DAY  # whole hours are counted once, and for all that ask within one
    counts = EvidenceCounts(state.store, state.settings.record.attempt_window)
    known = counts.vendors_before(since)
    if not known:
        return None
    found = [one for one in count_hits(reports, catalogue, "vendor", since, until) if one.key not in known]
    return tuple(
        Ranked(names.get(one.key or "", one.key or ""), one.attempts, one.clients, _page_of(one.key or ""))
        for one in found[:_MOST_NEW]
    )


def _health(state: State, context: Context, catalogue: Catalogue) -> Health:
    told, now = context.status(), dt.datetime.now(dt.UTC)
    with state.store.reading() as connection:
        lost = dropped(connection)
    feeds = [known for feed, known in state.feeds.all() if feed.enabled]
    ages = [(now - known.changed_at).days for known in feeds if known.changed_at is not None]
    found = [one for one in _examine(state, context) if one.grade is not Grade.GOOD]
    generation = int(told["generation"])
    return Health(
        generation=generation, workers=len(told["workers"]),
        late=sum(worker["generation"] != generation for worker in told["workers"]),
        store=str(told["store"]), listen=tuple(told["listen"]), started=float(told["started"]),
        catalogue=catalogue.version, feeds=len(feeds), age_days=max(ages, default=None), dropped=lost,
        requested=state.exceptions.count_requested(now),
        waiting=len(state.candidates.domains(CandidateState.NEW)),
        findings=tuple(sorted(found, key=lambda one: -one.grade)[:_MOST_FINDINGS]),
        more=max(0, len(found) - _MOST_FINDINGS),
    )  # fmt: skip


def _examine(state: State, context: Context) -> list[Finding]:
    found = examine(context.settings, CHEAP)
    found += [Finding("feeds", grade, text) for grade, text in feed_findings(state)]
    return found + [Finding("exceptions", grade, text) for grade, text in exception_findings(state)]
