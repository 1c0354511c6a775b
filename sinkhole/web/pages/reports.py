"""The report of who tried which vendor, as a page and as files."""

import datetime as dt
import time
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field, model_validator

from sinkhole.app.around import around_statement, equal_spans
from sinkhole.app.hit_evidence import Wanted, hit_evidence
from sinkhole.app.policy_moves import PolicyMove, policy_moves
from sinkhole.app.reveal import pseudonym_writer
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.errors import StoreError
from sinkhole.evidence.as_csv import to_csv
from sinkhole.evidence.as_html import to_html
from sinkhole.evidence.as_json import to_json
from sinkhole.evidence.as_markdown import to_markdown
from sinkhole.evidence.model import Around, By, Evidence
from sinkhole.evidence.plot import Mark
from sinkhole.evidence.tables import part_table, vendor_table, without_ids
from sinkhole.evidence.trend import DAY, WEEK
from sinkhole.evidence.words import clock_of, headline, sentences, utc_day
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.web.actor import Actor
from sinkhole.web.model import Model, whole
from sinkhole.web.pages.route import View
from sinkhole.web.pages.trend import Drawn, draw_trend
from sinkhole.web.problem import RequestError

DEFAULT_DAYS = 30
_MOST_MOVES = 30
_MOST_ROWS = 500
"""Rows of a table that are shown; files have all of them."""
_FORMS = {
    "html": ("text/html", to_html), "csv": ("text/csv", to_csv), "md": ("text/markdown", to_markdown),
}  # fmt: skip


def _day(text: object) -> object:
    """Read an ISO date as a form sends it."""
    if not isinstance(text, str):
        return text
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("wanted a date such as 2026-11-01") from None
    if not 1970 <= found.year < 3000:
        raise ValueError("wanted a date from 1970 to 2999")
    return found


Day = Annotated[dt.date, BeforeValidator(_day)]


class ReportAsked(Model):
    """What a report is to be about; days are of UTC, `until` is within."""

    since: Day | None = None
    until: Day | None = None
    around: Annotated[str, Field(max_length=20, pattern=r"^(\d{1,9}|\d{4}-\d\d-\d\d)$")] | None = None
    by: Literal["vendor", "client", "group"] = "vendor"
    k: Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)] = 1
    step: Literal["day", "week"] | None = None
    pseudonyms: Literal["1"] | None = None

    @model_validator(mode="after")
    def _fit(self) -> "ReportAsked":
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError("the last day is before the first")
        if self.by == "client" and self.k > 1:
            raise ValueError("a report by client tells each client by itself, which at least 2 clients a row rule out")
        if self.around is not None and not self.around.isdigit():
            _day(self.around)
        return self


class FilePlace(Model):
    """A form of the report."""

    form: Literal["html", "csv", "json", "md"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A report as the page shows it."""

    evidence: Evidence
    headline: str
    sentences: list[str]
    drawn: Drawn
    tables: list[Any]
    cut: int


def reports(state: State, actor: Actor, query: ReportAsked) -> View:
    """Show the form, and the report that it asks for."""
    moves = policy_moves(state, 0)[-_MOST_MOVES:] if actor.may(Right.READ, "policy") else []
    values: dict[str, Any] = {
        "asked": query, "moves": [(str(one.number), _in_words(one)) for one in reversed(_last_of_each(moves))],
        "stored": state.settings.record.clients, "shown": None, "refused": None, "days": DEFAULT_DAYS,
    }  # fmt: skip
    try:
        evidence = evidence_of(state, query)
    except RequestError as error:
        return View("reports.html", values | {"refused": str(error)}, error.status)
    return View("reports.html", values | {"shown": _shown(evidence)})


def evidence_file(state: State, query: ReportAsked, place: FilePlace) -> web.Response:
    """Return the report as a file."""
    evidence = evidence_of(state, query)
    name = f"ai-vendors-{utc_day(evidence.made)}.{place.form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if place.form == "json":
        return web.json_response(to_json(evidence), headers=headers)
    kind, write = _FORMS[place.form]
    return web.Response(text=write(evidence), content_type=kind, charset="utf-8", headers=headers)


def evidence_of(state: State, asked: ReportAsked) -> Evidence:
    """Make the report.

    Raises:
        RequestError: 422, there is nothing to compare.
    """
    now = int(time.time())
    until = now + 1 if asked.until is None else min(_start(asked.until) + DAY, now + 1)
    since = (until - 1) // DAY * DAY - (DEFAULT_DAYS - 1) * DAY if asked.since is None else _start(asked.since)
    if since >= until:
        raise RequestError(422, "the first day is not over yet, or lies ahead")
    around = None
    if asked.around is not None:
        try:
            around = _around(state, asked.around, None if asked.since is None else since, until)
        except StoreError as error:
            raise RequestError(422, f"comparing: {str(error).removeprefix('--around: ')}") from error
    by = By(asked.by)
    evidence = hit_evidence(
        state,
        Wanted(
            since=since if around is None else around.at - around.seconds,
            until=until if around is None else around.at + around.seconds,
            by=by, floor=asked.k, step=asked.step, around=around,
            client_text=pseudonym_writer(state) if asked.pseudonyms and by is By.CLIENT else str,
        ),
        now,
    )  # fmt: skip
    return replace(evidence, zone=dt.UTC)  # as all times of the pages


def _around(state: State, text: str, since: int | None, until: int) -> Around:
    at, what = around_statement(state, int(text)) if text.isdigit() else (_start(dt.date.fromisoformat(text)), text)
    oldest = EvidenceCounts(state.store, state.settings.record.attempt_window).recorded().oldest_minute
    return equal_spans(at, what, None if oldest is None else oldest * 60, since, until)


def _start(day: dt.date) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp())


def _shown(evidence: Evidence) -> Shown:
    clock = clock_of(evidence)
    tables = [without_ids(vendor_table(evidence, clock))] if evidence.vendors else []
    if evidence.by is not By.VENDOR and evidence.parts:
        tables.append(without_ids(part_table(evidence, clock)))
    names = {line.vendor: line.name for line in evidence.vendors if line.vendor}
    marks: tuple[Mark, ...] = ()
    if evidence.around is not None and evidence.trend:
        width = DAY * (WEEK if evidence.step == "week" else 1)
        place = (evidence.around.at - evidence.trend[0].start) / width
        marks = (Mark(place, f"{utc_day(evidence.around.at)} {evidence.around.what}"),)
    drawn = draw_trend("trend", evidence.trend, evidence.step, names, marks)
    cut = max((len(table.rows) for table in tables), default=0)
    return Shown(evidence, headline(evidence), sentences(evidence), drawn, tables, cut if cut > _MOST_ROWS else 0)


def _last_of_each(moves: list[PolicyMove]) -> list[PolicyMove]:
    """Return the last change of each statement that there still is; the report compares around that one."""
    return [one for one in {move.number: move for move in moves}.values() if one.action is not None]


def _in_words(move: PolicyMove) -> str:
    return f"{utc_day(move.at)} {move.said}"
