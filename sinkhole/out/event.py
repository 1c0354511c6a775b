"""What is sent: a recorded hit, an alert, or an entry of the audit log. Texts in them may come from the network."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that a person should know.

    Attributes:
        id: its number in the store.
        at: epoch seconds.
        kind: one of `config.out_schema.AlertKind`, or `test`.
        cause: what it is about, such as a vendor; of one kind and cause there is one in a period.
        text: a sentence.
        facts: more, by name.
    """

    id: int
    at: int
    kind: str
    cause: str
    text: str
    facts: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A change of policy, groups or feeds, as `sinkhole audit show` tells it; values before and after are JSON."""

    id: int
    at: int
    who: str
    origin: str
    what: str
    before: str | None
    after: str | None
    digest: str | None


Event = HitEvent | AlertEvent | AuditEvent
"""Anything that is sent."""


def what_of(event: Event) -> str:
    """Return what it is, in the singular: `hit`, `alert` or `audit`."""
    match event:
        case HitEvent():
            return "hit"
        case AlertEvent():
            return "alert"
        case _:
            return "audit"


def name_of(event: Event) -> str:
    """Return what tells it from all others of this installation, such as `hit-812`."""
    return f"{what_of(event)}-{event.id}"
