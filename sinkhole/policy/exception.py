"""Exceptions as they are asked for, decided and kept: a lifted block with an owner, a reason and an end."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sinkhole.policy.override import Override, OverrideKind, scope_in_words
from sinkhole.policy.subject import Subject

MAX_AHEAD = timedelta(days=366)
"""How long one may last: whoever needs it for longer is asked once a year."""


class ExceptionState(StrEnum):
    """How one stands. Only those approved count; EXPIRED follows from the time and is never stored."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DENIED = "denied"
    REVOKED = "revoked"
    EXPIRED = "expired"


OPEN = (ExceptionState.REQUESTED, ExceptionState.APPROVED)
"""The states that time ends."""


@dataclass(frozen=True, slots=True)
class PolicyException:
    """One exception; two on the same subject and scope are the same one, changed.

    Attributes:
        expires: aware UTC time at which it ends by itself.
        reason: why it is needed.
        owner: who asked for it.
        client: address of the one client it is for; None where `group` says it, or for all.
        id: the store's number; 0 where it has none yet.
        approver: who approved or denied it, and `decided` when.
    """

    subject: Subject
    expires: datetime
    reason: str
    owner: str
    client: str | None = None
    group: str | None = None
    ticket: str | None = None
    id: int = 0
    state: ExceptionState = ExceptionState.REQUESTED
    approver: str | None = None
    created: datetime | None = None
    decided: datetime | None = None

    @property
    def scope(self) -> str:
        """`all`, `group:NAME` or `client:ADDRESS`."""
        return scope_in_words(self.client, self.group)

    @property
    def identity(self) -> tuple[Subject, str | None, str | None]:
        """What makes two exceptions the same one: subject and scope."""
        return (self.subject, self.client, self.group)

    @property
    def is_own(self) -> bool:
        """Whether who asked for it approved it too."""
        return self.state is ExceptionState.APPROVED and self.approver == self.owner

    def state_at(self, when: datetime) -> ExceptionState:
        """Return how it stands at an aware time."""
        is_over = self.state in OPEN and when >= self.expires
        return ExceptionState.EXPIRED if is_over else self.state

    def mistake_at(self, when: datetime) -> str | None:
        """Say why it could not begin at an aware time, or return None."""
        if self.expires <= when:
            return "has ended already"
        if self.expires > when + MAX_AHEAD:
            return "is more than a year ahead; an exception is asked for anew each year"
        return None

    def plain(self) -> "PolicyException":
        """Return what it says, without when and by whom that was decided: as a policy file has it."""
        return replace(self, id=0, state=ExceptionState.APPROVED, approver=None, created=None, decided=None)

    def to_override(self) -> Override:
        """Return it as policy takes it."""
        return Override(
            OverrideKind.EXCEPTION, self.id, (self.subject,), self.expires, None, self.client, self.group,
            self.reason, self.owner,
        )  # fmt: skip
