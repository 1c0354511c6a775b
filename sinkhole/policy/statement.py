"""Statements (subject, action, scope, schedule) and groups of clients: the policy as an administrator writes it."""

from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.basis import Basis
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of policy. `group` is None for all clients; `expires` is an aware UTC time or None.

    It holds while its `schedule` does, None for always, and before it expires.
    `basis` is who wanted a block, None where that was not said.
    `id` is the store's number; the order of numbers never matters to a verdict.
    """

    id: int
    subject: Subject
    action: Action
    group: str | None = None
    reason: str | None = None
    owner: str | None = None
    ticket: str | None = None
    expires: datetime | None = None
    schedule: Schedule | None = None
    basis: Basis | None = None

    @property
    def scope(self) -> str:
        """`all`, or `group:NAME`."""
        return "all" if self.group is None else f"group:{self.group}"

    @property
    def extent(self) -> str:
        """Its scope, and its schedule if it has one: `all`, or `group:NAME, mon-fri 08:00-17:00 @Europe/Berlin`."""
        return self.scope if self.schedule is None else f"{self.scope}, {self.schedule}"

    def holds(self, when: datetime) -> bool:
        """Return whether it counts at an aware time."""
        if self.expires is not None and when >= self.expires:
            return False
        return self.schedule is None or self.schedule.holds(when)

    def next_edge(self, when: datetime) -> datetime | None:
        """Return the first moment after `when` at which `holds` may change; None for never."""
        if self.expires is not None and when >= self.expires:
            return None
        edge = self.schedule.next_edge(when) if self.schedule is not None else None
        return min((moment for moment in (edge, self.expires) if moment is not None), default=None)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of clients. `members` are texts of `policy.member`; `order` breaks ties, the lower wins.

    `answer` is how blocked names are answered for this group, or None for the server's setting.
    """

    name: str
    members: tuple[str, ...]
    order: int = 100
    answer: BlockAnswer | None = None
