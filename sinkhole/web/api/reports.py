"""Reports: who tried which vendor, which clients tried, who looks as if they went round the resolver."""

from datetime import datetime

from pydantic import Field

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.client_names import client_store, clients_by_text
from sinkhole.app.hit_reports import count_hits
from sinkhole.app.state import State
from sinkhole.store.client_store import HOUR
from sinkhole.store.recorder import dropped
from sinkhole.store.reports import Reports
from sinkhole.web.api.hits import Count, Span
from sinkhole.web.model import Model, Page, Paged, moment, part_of


class VendorReport(Model):
    """Who tried which vendor."""

    since: datetime
    until: datetime | None
    clients: int = Field(description="Distinct clients of all vendors; 0 where clients are not stored.")
    vendors: list[Count]
    hits_dropped: int = Field(description="Queries that could not be recorded, since the store was made.")


class ClientCount(Model):
    """A client with recorded queries, and who it is as far as that was noted."""

    client: str
    mac: str | None
    name: str | None
    groups: list[str]
    attempts: int
    hits: int
    blocked: int
    first: datetime
    last: datetime


class ClientSpan(Span, Paged):
    """A span of time, and which part of the clients."""


class Bypasser(Model):
    """A client that looks as if it went round the resolver: a reason to look, no proof."""

    client: str
    name: str | None
    score: int
    canary_points: int
    canary_days: int
    name_points: int
    name_hours: int
    names: list[str]
    silence_points: int
    silent_hours: list[datetime]


class BypassReport(Model):
    """Clients that look so, the highest score first."""

    items: list[Bypasser]


def vendors(state: State, query: Span) -> VendorReport:
    """Tell how many clients tried which vendor, how often, when first and last, and whether it was blocked."""
    catalogue = state.catalogue().catalogue
    reports = Reports(state.store, state.settings.record.attempt_window)
    found = count_hits(reports, catalogue, "vendor", query.start, query.end)
    asking = reports.clients(query.start, query.end)
    with state.store.reading() as connection:
        lost = dropped(connection)
    names = {vendor.id: vendor.name for vendor in catalogue.vendors}
    return VendorReport(
        since=moment(query.start), until=query.until, clients=asking, hits_dropped=lost,
        vendors=[Count.of(tally, names.get(tally.key or "")) for tally in found],
    )  # fmt: skip


def clients(state: State, query: ClientSpan) -> Page[ClientCount]:
    """Tell which clients have recorded queries, the most attempts first, and who they are."""
    reports = Reports(state.store, state.settings.record.attempt_window)
    found = count_hits(reports, state.catalogue().catalogue, "client", query.start, query.end)
    shown, following = part_of(found, query, lambda tally: tally.key or "")
    known = clients_by_text(state)
    items = []
    for tally in shown:
        client = known.get(tally.key or "")
        items.append(
            ClientCount(
                client=tally.key or "", mac=client.identity.mac if client else None,
                name=client.name if client else None,
                groups=list(client.groups) if client else [], attempts=tally.attempts, hits=tally.hits,
                blocked=tally.blocked, first=moment(tally.first), last=moment(tally.last),
            )
        )  # fmt: skip
    return Page(items=items, next=following)


def bypass(state: State, query: Span) -> BypassReport:
    """Tell which clients look as if they went round the resolver; see docs/bypass.md for innocent causes."""
    found = bypass_report(state, query.start)
    names = client_store(state).names(one.client for one in found)
    items = [
        Bypasser(
            client=one.client, name=names.get(one.client), score=one.score,
            canary_points=one.canary_points, canary_days=one.canary_days, name_points=one.name_points,
            name_hours=one.name_hours, names=list(one.names), silence_points=one.silence_points,
            silent_hours=[moment(hour * HOUR) for hour in one.silent_hours],
        )
        for one in found
    ]  # fmt: skip
    return BypassReport(items=items)
