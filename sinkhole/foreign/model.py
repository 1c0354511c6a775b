"""What the configuration of another resolver says, whatever it was written in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sinkhole.policy.rule import Rule
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.verdict import Action

Scope = str | None
"""Name of a group, or None for every client that has no settings of its own there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file (of an archive the member), its line if it has one, and its key or table."""

    file: str
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.file}{line}{': ' if self.key else ''}{self.key}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not carried over as it is: where it stands, what it is, and why or what becomes of it.

    `is_left_out` tells what has no counterpart from what is carried over with another meaning.
    """

    place: Place
    item: str
    why: str
    is_left_out: bool = True

    def __str__(self) -> str:
        return f"{self.place}: {self.item}: {self.why}" if self.item else f"{self.place}: {self.why}"


@dataclass(frozen=True, slots=True)
class ForeignGroup:
    """A group of clients, or one client; `members` are as policy writes them."""

    name: str
    members: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class ForeignList:
    """A list that is fetched from a URL.

    `hint` is a word for its name, `reason` what was noted on it. `format` is the one of ours that reads its rows as
    they are read there: where plain names stand for themselves alone, that is `adblock`.
    """

    url: str
    scopes: tuple[Scope, ...]
    place: Place
    hint: str = ""
    reason: str | None = None
    is_enabled: bool = True
    schedule: Schedule | None = None
    format: str = "adblock"


@dataclass(frozen=True, slots=True)
class ForeignRule:
    """One allow or deny rule of the administrator's own."""

    rule: Rule
    scopes: tuple[Scope, ...]
    place: Place
    reason: str | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class ForeignStatement:
    """What is a statement of policy as it stands: a service that is blocked, an address in answers."""

    subject: str
    action: Action
    scope: Scope
    place: Place
    reason: str | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A local record, as a line `NAME TYPE DATA`."""

    text: str
    place: Place


@dataclass(slots=True)
class Foreign:
    """All that a configuration says; filled while it is read.

    Attributes:
        product: where it comes from, such as `pihole`.
        outside: members, as policy writes them, to whom what is said of everybody (scope None) does not apply.
        is_off: whether filtering as a whole is switched off there.
    """

    product: str
    groups: list[ForeignGroup] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    lists: list[ForeignList] = field(default_factory=list)
    rules: list[ForeignRule] = field(default_factory=list)
    statements: list[ForeignStatement] = field(default_factory=list)
    records: list[ForeignRecord] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    is_off: bool = False

    def leave_out(self, place: Place, item: object, why: str) -> None:
        """Note that something has no counterpart."""
        self.notes.append(Note(place, str(item), why))

    def alter(self, place: Place, item: object, why: str) -> None:
        """Note that something is carried over with another meaning."""
        self.notes.append(Note(place, str(item), why, is_left_out=False))

    def admit_members(self, members: Iterable[str], place: Place) -> tuple[str, ...]:
        """Return the members that policy knows by now, and note the others."""
        known: list[str] = []
        for member in members:
            if is_known_member(member):
                known.append(member)
            else:
                self.leave_out(place, member, "groups know addresses and networks only")
        return tuple(known)


def is_known_member(member: str) -> bool:
    """Return whether policy knows members of this kind."""
    return not member.startswith(("mac:", "name:", "id:"))


def union(scopes: Iterable[Sequence[Scope]]) -> tuple[Scope, ...]:
    """Return each scope of several once, in their order."""
    return tuple(dict.fromkeys(scope for some in scopes for scope in some))
