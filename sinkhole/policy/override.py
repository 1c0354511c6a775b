"""What goes before statements for a time: lockdowns, exceptions, grants and pauses. Each ends by itself.

The order, strongest first: lockdown > exception and grant > pause > statements. Of several of one kind the one that
ends last is named, then the one with the least number; nothing but the name depends on that.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sinkhole.policy.subject import Subject


class OverrideKind(StrEnum):
    """The kinds, the stronger first.

    LOCKDOWN: what its subjects reach is blocked, whatever else is said.
    EXCEPTION: what its subject reaches is answered truly, though statements block or coach it.
    GRANT: the same for one client and names that are coached by a statement on its very subject: the notice was read.
    PAUSE: what is blocked or coached is answered truly; without subjects, all of it.
    """

    LOCKDOWN = "lockdown"
    EXCEPTION = "exception"
    GRANT = "grant"
    PAUSE = "pause"


_STRENGTH = {OverrideKind.LOCKDOWN: 0, OverrideKind.EXCEPTION: 1, OverrideKind.GRANT: 1, OverrideKind.PAUSE: 2}


@dataclass(frozen=True, slots=True)
class Override:
    """One of them. It holds from `begins` (None: always so far) until just before `ends`, both aware UTC times.

    Attributes:
        id: the store's number, unique within its kind.
        subjects: what it is about; none, for a pause alone: everything.
        client: address of the one client it is for; None where `group` says it, or for all.
        owner: who asked for it, or began it.
    """

    kind: OverrideKind
    id: int
    subjects: tuple[Subject, ...]
    ends: datetime
    begins: datetime | None = None
    client: str | None = None
    group: str | None = None
    reason: str | None = None
    owner: str | None = None

    @property
    def name(self) -> str:
        """`exception:12`: what verdicts and hits name."""
        return f"{self.kind}:{self.id}"

    @property
    def scope(self) -> str:
        """`all`, `group:NAME` or `client:ADDRESS`."""
        return scope_in_words(self.client, self.group)

    @property
    def order(self) -> tuple[int, float, str, int]:
        """The key by which they are sorted, the strongest first."""
        return (_STRENGTH[self.kind], -self.ends.timestamp(), self.kind, self.id)

    def holds(self, when: datetime) -> bool:
        """Return whether it counts at an aware time."""
        return when < self.ends and (self.begins is None or self.begins <= when)

    def next_edge(self, when: datetime) -> datetime | None:
        """Return the first moment after `when` at which `holds` changes; None for never."""
        edges = (self.ends,) if self.begins is None else (self.begins, self.ends)
        return min((edge for edge in edges if when < edge), default=None)


def scope_in_words(client: str | None, group: str | None) -> str:
    """Return `client:ADDRESS`, `group:NAME` or `all`."""
    if client is not None:
        return f"client:{client}"
    return "all" if group is None else f"group:{group}"
