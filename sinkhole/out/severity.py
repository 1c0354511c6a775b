"""How much an event matters, in one scale that the formats turn into their own."""

from enum import IntEnum

from sinkhole.noted import Alert
from sinkhole.out.event import Event, HitEvent


class Severity(IntEnum):
    """From what is only told to what someone should look at."""

    TOLD = 0
    STOPPED = 1
    CHANGED = 2
    LOOK = 3


def severity_of(event: Event) -> Severity:
    """Return how much it matters."""
    match event:
        case HitEvent():
            return Severity.STOPPED if event.hit.action in ("block", "coach") else Severity.TOLD
        case Alert():
            return Severity.TOLD if event.kind == "test" else Severity.LOOK
        case _:
            return Severity.CHANGED


def title_of(event: Event) -> str:
    """Return a few words that are the same for all events of its sort."""
    match event:
        case HitEvent():
            return f"DNS query {_DONE.get(event.hit.action, event.hit.action)}"
        case Alert():
            return f"Alert {event.kind}"
        case _:
            return "Policy changed"


_DONE = {"block": "blocked", "coach": "coached", "monitor": "monitored", "allow": "allowed"}
