"""Statements (subject, action, scope) and groups of clients: the policy as an administrator writes it."""

from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of policy. `group` is None for all clients; `expires` is an aware UTC time or None.

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

    @property
    def scope(self) -> str:
        """`all`, or `group:NAME`."""
        return "all" if self.group is None else f"group:{self.group}"


@dataclass(frozen=True, slots=True)
class Group:
    """A group of clients. `members` are networks in CIDR form; `order` breaks ties, the lower wins.

    `answer` is how blocked names are answered for this group, or None for the server's setting.
    """

    name: str
    members: tuple[str, ...]
    order: int = 100
    answer: BlockAnswer | None = None
