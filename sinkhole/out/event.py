"""What is sent: a recorded hit, an alert, or an entry of the audit log. Texts in them may come from the network."""

from dataclasses import dataclass

from sinkhole.noted import Alert, AuditEntry
from sinkhole.policy.hit import HitRow


@dataclass(frozen=True, slots=True)
class HitEvent:
    """A row as it is in the store; `id` is its number there, the same each time that it is sent."""

    id: int
    hit: HitRow

    @property
    def at(self) -> int:
        """Epoch seconds of its last query."""
        return self.hit.last


Event = HitEvent | Alert | AuditEntry
"""Anything that is sent."""


def what_of(event: Event) -> str:
    """Return what it is, in the singular: `hit`, `alert` or `audit`."""
    match event:
        case HitEvent():
            return "hit"
        case Alert():
            return "alert"
        case _:
            return "audit"


def name_of(event: Event) -> str:
    """Return what tells it from all others of this installation, such as `hit-812`."""
    return f"{what_of(event)}-{event.id}"
