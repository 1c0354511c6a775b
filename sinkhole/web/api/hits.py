"""Recorded queries: page by page, counted, and as they come."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from sinkhole.app.client_names import client_store
from sinkhole.app.hit_reports import count_hits
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.store.reports import Reports, Tally
from sinkhole.web.actor import Actor
from sinkhole.web.events import stream
from sinkhole.web.live import Topic
from sinkhole.web.model import Model, Moment, Page, Paged, moment, number_of_cursor, whole
from sinkhole.web.shapes import Hit

DAY = 86_400
By = Literal["vendor", "product", "client", "group", "name", "feed", "subject", "category", "jurisdiction"]


class HitQuery(Paged):
    """Which queries."""

    since: Moment | None = Field(None, description="Only those asked at or after this time.")


class Span(Model):
    """A span of time."""

    since: Moment | None = Field(None, description="Left out: 30 days ago.")
    until: Moment | None = Field(None, description="No longer in; left out: now.")

    @property
    def start(self) -> int:
        """The beginning, in epoch seconds."""
        return int(time.time()) - 30 * DAY if self.since is None else int(self.since.timestamp())

    @property
    def end(self) -> int | None:
        """The end, in epoch seconds."""
        return None if self.until is None else int(self.until.timestamp())


class TopQuery(Span):
    """What is counted, and by what."""

    by: By = "vendor"
    limit: Annotated[int, Field(ge=1, le=1000), BeforeValidator(whole)] = Field(
        100, description="Rows, the most first."
    )


class Count(Model):
    """Queries counted by something: `key` is what, empty where it is not stored; an attempt counts once."""

    key: str
    name: str | None = Field(description="What people call a client or vendor.")
    clients: int
    attempts: int
    hits: int
    blocked: int
    coached: int
    allowed: int
    first: datetime
    last: datetime

    @classmethod
    def of(cls, tally: Tally, name: str | None = None) -> "Count":
        """Return a count of the store."""
        return cls(
            key=tally.key or "", name=name, clients=tally.clients, attempts=tally.attempts, hits=tally.hits,
            blocked=tally.blocked, coached=tally.coached, allowed=tally.allowed, first=moment(tally.first),
            last=moment(tally.last),
        )  # fmt: skip


class Counts(Model):
    """Counts, the most attempts first."""

    by: str
    items: list[Count]


def list_hits(state: State, query: HitQuery) -> Page[Hit]:
    """List recorded queries, the newest first."""
    since = 0 if query.since is None else int(query.since.timestamp())
    found = _reports(state).page(number_of_cursor(query.cursor), query.limit + 1, since)
    shown = [Hit.of(line) for line in found[: query.limit]]
    return Page[Hit](items=shown, next=str(shown[-1].id) if len(found) > len(shown) else None)


def count_by(state: State, query: TopQuery) -> Counts:
    """Count recorded queries by vendor, client and more, the most attempts first."""
    catalogue = state.catalogue().catalogue
    found = count_hits(_reports(state), catalogue, query.by, query.start, query.end)[: query.limit]
    names: Mapping[str, str | None] = {}
    if query.by == "client":
        names = client_store(state).names(tally.key or "" for tally in found)
    elif query.by == "vendor":
        names = {vendor.id: vendor.name for vendor in catalogue.vendors}
    return Counts(by=query.by, items=[Count.of(tally, names.get(tally.key or "")) for tally in found])


async def live_hits(request: web.Request, actor: Actor) -> web.StreamResponse:
    """Tell queries as they are recorded: events `hit`; who does not keep up is hung up on."""
    return await stream(request, actor, Topic.HITS, Right.REPORT, "hits")


def _reports(state: State) -> Reports:
    return Reports(state.store, state.settings.record.attempt_window)
