"""Clients: who was seen, in which groups, what they tried, and who looks as if they went round the resolver."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.client_names import client_store, groups_now
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.hit_reports import count_hits
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.clients.table import read_table
from sinkhole.config.schema import is_activity_kept
from sinkhole.evidence.trend import DAY
from sinkhole.store.client_store import SeenClient
from sinkhole.store.reports import Reports, Tally
from sinkhole.web.actor import Actor
from sinkhole.web.model import Line
from sinkhole.web.pages.published import published_policy
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import SPANS, SpannedPage, times_of

BYPASS_DAYS = 7
_PER_PAGE = 50
NO_GROUP = "-"
"""What is filtered by for clients in no group: no group can have this name."""


class ClientsAsked(SpannedPage):
    """Which clients."""

    limit: Annotated[int, Field(ge=1, le=200)] = _PER_PAGE
    text: Line = ""
    group: Line = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A client: as it was seen, None where only its queries are known; what it tried; and how much it looks odd."""

    client: str
    seen: SeenClient | None
    groups: tuple[str, ...]
    tally: Tally | None
    score: int

    @property
    def last(self) -> int:
        """Its last query, in epoch seconds."""
        return max(self.seen.last if self.seen else 0, self.tally.last if self.tally else 0)


def clients(state: State, actor: Actor, query: ClientsAsked) -> View:
    """List clients, those with the most attempts first."""
    times, now = times_of(query.span), int(time.time())
    seen = {one.text: one for one in client_store(state).known(times.since)}
    tallies: dict[str, Tally] = {}
    scores: dict[str, int] = {}
    if actor.may(Right.REPORT, "reports"):
        reports = Reports(state.store, state.settings.record.attempt_window)
        counted = count_hits(reports, state.catalogue().catalogue, "client", times.since, times.until)
        tallies = {one.key: one for one in counted if one.key}
        scores = {one.client: one.score for one in bypass_report(state, now - BYPASS_DAYS * DAY)}
    groups = _groups(state, seen.values()) if query.group else {}
    found = [
        Row(client, seen.get(client), groups.get(client, ()), tallies.get(client), scores.get(client, 0))
        for client in seen.keys() | tallies.keys() | scores.keys()
    ]
    found = [one for one in found if _fits(one, query)]
    found.sort(key=lambda one: (-(one.tally.attempts if one.tally else 0), -one.score, -one.last, one.client))
    start = 0
    if query.cursor is not None:
        start = next((at + 1 for at, one in enumerate(found) if one.client == query.cursor), len(found))
    rows = found[start : start + query.limit]
    if not query.group:  # else they are known; to find those of all clients takes longer than all else
        groups = _groups(state, [one.seen for one in rows if one.seen is not None])
        rows = [replace(one, groups=groups.get(one.client, ())) for one in rows]
    return View(
        "clients.html",
        {"rows": rows, "next": rows[-1].client if rows and start + len(rows) < len(found) else None, "asked": query,
         "total": len(found), "times": times, "spans": list(SPANS.items()), "bypass_days": BYPASS_DAYS,
         "groups": [(NO_GROUP, "in no group"), *((one.name, one.name) for one in state.policy.groups())],
         "is_kept": is_activity_kept(state.settings), "stored": state.settings.record.clients},
    )  # fmt: skip


def _groups(state: State, seen: Iterable[SeenClient]) -> dict[str, tuple[str, ...]]:
    policy, table = published_policy(state), read_table(compiled_folder(state.folder))
    return {one.text: groups_now(policy, table, one) for one in seen}


def _fits(row: Row, query: ClientsAsked) -> bool:
    if query.group and query.group not in (row.groups or (NO_GROUP,)):
        return False
    text = query.text.strip().casefold()
    if not text:
        return True
    words = [row.client]
    if row.seen is not None:
        who = row.seen.identity
        words += [who.mac or "", row.seen.host or "", *who.names, *who.ids]
    return any(text in word.casefold() for word in words)
