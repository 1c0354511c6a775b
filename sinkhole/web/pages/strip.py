"""The strip above each page: what is on now that whoever looks at anything else has to know."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.store.alert_store import AlertStore
from sinkhole.web.actor import Actor
from sinkhole.web.context import Context
from sinkhole.web.flashes import Tone

OPEN = "open"
DROPPING_FOR = 3600
"""Seconds that a flood of queries that were not recorded is told of."""
_ALERTS = 50
_IN_WORDS = {
    OverrideKind.LOCKDOWN: "Lockdown", OverrideKind.PAUSE: "Pause: what is blocked is answered truly",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OnNow:
    """One thing that is on, `until` when, and the page about it; None for none."""

    said: str
    tone: Tone
    until: datetime | None = None
    link: str | None = None


def on_now(state: State, actor: Actor, context: Context) -> tuple[OnNow, ...]:
    """Return what is on, the worst first; of overrides only what the actor may see."""
    found = list(store_trouble(context))
    dropped = sum(
        int(alert.facts.get("queries", 0))
        for alert in AlertStore(state.store).newest(_ALERTS, int(time.time()) - DROPPING_FOR)
        if alert.kind == "recorder-dropping"
    )
    if dropped:
        found.append(OnNow(f"{dropped:,} queries of the last hour could not be recorded", "bad"))
    if actor.may(Right.READ, "overrides"):
        found += [_override(one) for one in state.overrides.in_force(datetime.now(UTC)) if one.kind in _IN_WORDS]
    return tuple(found)


def store_trouble(context: Context) -> tuple[OnNow, ...]:
    """Return that the store cannot be used, if it is so: the server knows without it."""
    told = str(context.status()["store"])
    said = f"{told}. Answers go on, and what is asked waits to be recorded; policy cannot be changed"
    return () if told == OPEN else (OnNow(said[:1].upper() + said[1:], "bad"),)


def _override(one: Override) -> OnNow:
    about = ", ".join(map(str, one.subjects[:3])) + (", …" if len(one.subjects) > 3 else "")
    scope = "" if one.scope == "all" else f" for {one.scope}"
    subjects = f" ({about})" if one.kind is OverrideKind.PAUSE and about else ""
    why = f": {one.reason}" if one.reason else ""
    return OnNow(f"{_IN_WORDS[one.kind]}{scope}{subjects}{why}", "warn", one.ends, "/overrides")
