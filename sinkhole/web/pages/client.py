"""The page of a client: who it is, what it asked for and when, what policy says, and whether it looks odd."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.bypass_score import (
    CANARY_MOST,
    CANARY_POINTS,
    NAME_MOST,
    NAME_POINTS,
    SILENCE_MOST,
    SILENCE_POINTS,
    BypassScore,
)
from sinkhole.app.client_names import client_store, memberships_now
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.policy_moves import policy_moves
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.who_is_it import Belonging, belongings
from sinkhole.clients.table import read_table
from sinkhole.evidence.trend import DAY
from sinkhole.policy.groups import parse_client
from sinkhole.policy.override import OverrideKind
from sinkhole.store.client_store import HOUR, SeenClient
from sinkhole.store.tried import Tried
from sinkhole.web.actor import Actor
from sinkhole.web.model import Model
from sinkhole.web.pages.clients import BYPASS_DAYS
from sinkhole.web.pages.published import published_policy
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import SPANS, Spanned, spanned, times_of
from sinkhole.web.pages.trend import buckets_of, draw
from sinkhole.web.problem import not_found

_MOST_NAMES = 100
INNOCENT = {
    "canaries": "Every Firefox in its default state asks one when it starts; an iPhone with Private Relay asks one and "
    "takes no for an answer.",
    "names": "Apps with encrypted DNS of their own, virus scanners, and browsers that test for it ask such names "
    "without anybody's doing.",
    "silence": "A machine that sleeps with its network card awake, a phone that moved to its mobile network, a user at "
    "lunch, and a client that was given another address are silent too.",
}


class ClientPlace(Model):
    """A client, as it is stored."""

    client: Annotated[str, Field(min_length=1, max_length=300)]


def client(state: State, actor: Actor, place: ClientPlace, query: Spanned) -> View:
    """Show all that is recorded of a client, as far as the actor may see each kind of it."""
    text, times = place.client, times_of(query.span)
    seen = client_store(state).find_text(text)
    tried = Tried(state.store, state.settings.record.attempt_window)
    names = tried.names_of(text, times.since, times.until, _MOST_NAMES + 1)
    if seen is None and not names and not tried.names_of(text, 0, times.until, 1):
        raise not_found("client of this address or pseudonym in what is recorded")
    seen = seen if actor.may(Right.REPORT, "clients") else None
    called = {vendor.id: vendor.name for vendor in state.catalogue().catalogue.vendors}
    trend = buckets_of(tried.times_of(text, times.since, times.until, times.width), times)
    parts = _parts(state, text) if actor.may(Right.REPORT, "reports") else []
    values = {
        "client": text, "seen": seen, "is_address": parse_client(text) is not None, "span": query.span, "times": times,
        "choices": [(spanned(f"/clients/{quote(text, safe='')}", span), words) for span, words in SPANS.items()],
        "drawn": draw("trend", trend, times, called, policy_moves(state, times.since)),
        "vendors": tried.vendors_of(text, times.since, times.until), "called": called,
        "names": names[:_MOST_NAMES], "has_more_names": len(names) > _MOST_NAMES,
        "belongings": _belongings(state, seen), "parts": parts, "score": sum(part["points"] for part in parts),
        "bypass_days": BYPASS_DAYS,
    }  # fmt: skip
    return View("client.html", values | _lifted(state, actor, text))


def _lifted(state: State, actor: Actor, text: str) -> dict[str, Any]:
    """Return the exceptions and grants for this client alone."""
    now = datetime.now(UTC)
    exceptions = state.exceptions.all() if actor.may(Right.READ, "exceptions") else ()
    overrides = state.overrides.in_force(now) if actor.may(Right.READ, "overrides") else ()
    return {
        "now": now, "exceptions": [one for one in exceptions if one.client == text],
        "grants": [one for one in overrides if one.client == text and one.kind is OverrideKind.GRANT],
    }  # fmt: skip


def _belongings(state: State, seen: SeenClient | None) -> list[Belonging]:
    """Return the groups of a client by the member that puts it there; of a pseudonym none can be told."""
    if seen is None:
        return []
    policy, table = published_policy(state), read_table(compiled_folder(state.folder))
    found = memberships_now(policy, table, seen)
    return [] if found is None else belongings(found)


def _parts(state: State, text: str) -> list[dict[str, Any]]:
    """Return the parts of its bypass score with what each rests on, and what else it may come from."""
    since = int(time.time()) - BYPASS_DAYS * DAY
    found = next((one for one in bypass_report(state, since) if one.client == text), None)
    if found is None:
        return []
    return [part for part in _all_parts(found) if part["points"]]


def _all_parts(found: BypassScore) -> list[dict[str, Any]]:
    return [
        {"name": "canaries", "points": found.canary_points, "most": CANARY_MOST,
         "said": f"It asked a canary on {_count(found.canary_days, 'day')}, {CANARY_POINTS} points each.",
         "names": (), "hours": (), "innocent": INNOCENT["canaries"]},
        {"name": "names", "points": found.name_points, "most": NAME_MOST,
         "said": f"It asked for a way round in {_count(found.name_hours, 'hour')}, {NAME_POINTS} points each.",
         "names": found.names, "hours": (), "innocent": INNOCENT["names"]},
        {"name": "silence", "points": found.silence_points, "most": SILENCE_MOST,
         "said": f"It was silent for {_count(len(found.silent_hours), 'hour')}, {SILENCE_POINTS} points each.",
         "names": (), "hours": [hour * HOUR for hour in found.silent_hours], "innocent": INNOCENT["silence"]},
    ]  # fmt: skip


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
