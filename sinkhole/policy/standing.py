"""The statements that hold for one client, by their subject, strongest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sinkhole.errors import PolicyError
from sinkhole.policy.groups import Scope, parse_network
from sinkhole.policy.key import wire_from_text
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind

Network = tuple[int, int, int]
"""IP version, number of host bits, and the network's own bits."""
Key = str | bytes | Network
"""What a statement is found by: a domain's folded wire form, a network, else the subject in words (`vendor:x`)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A statement as it stands for one scope; of two about the same subject, the lesser rank wins.

    The rank is: how specific its scope is, then the stricter action. Its number only settles which of two equal
    statements is named. `subject` and `scope` are those of the statement, in words.
    """

    statement: Statement
    rank: tuple[int, int, int]
    subject: str
    scope: str

    def holds(self, when: datetime) -> bool:
        """Return whether it counts at an aware time: it has not expired, and its schedule holds."""
        return self.statement.holds(when)


class StandingOverride(NamedTuple):
    """An override as it stands for one scope: what its subjects are found by, and they in words."""

    override: Override
    subjects: Mapping[Key, str]


class StandingOverrides(NamedTuple):
    """The overrides of one scope.

    Attributes:
        ordered: all of them, the strongest first.
        by_key: the places in that order of those about a subject.
        everywhere: the places of those about everything.
        has_lockdown: whether any may block what no statement does.
    """

    ordered: Sequence[StandingOverride]
    by_key: Mapping[Key, Sequence[int]]
    everywhere: Sequence[int]
    has_lockdown: bool


@dataclass(frozen=True, slots=True)
class Standings:
    """All standings of one scope.

    Attributes:
        by_key: statements by their subject, the strongest first; none where an override alone is about it.
        domains: whether any is about a domain.
        networks: which address sizes there are.
        overrides: those of the scope; None where there are none.
        unreviewed: whether any is about names that wait for review.
    """

    by_key: Mapping[Key, Sequence[Standing]]
    domains: bool
    networks: Sequence[tuple[int, int]]
    overrides: StandingOverrides | None = None
    unreviewed: bool = False


class Statements:
    """All statements and overrides, sorted out per scope as scopes come up; there are few.

    Attributes:
        own: the overrides that clients have of their own, by address.

    Raises:
        PolicyError: the value of a subject is not of its kind, or a time has no time zone.
    """

    def __init__(self, statements: Sequence[Statement], overrides: Sequence[Override] = ()) -> None:
        self._keyed = [(key_of(statement), statement) for statement in statements]
        self._overrides = [_standing(override) for override in sorted(overrides, key=lambda one: one.order)]
        self._shared = [one for one in self._overrides if one.override.client is None]
        self.own: dict[str, list[StandingOverride]] = {}
        for one in self._overrides:
            if one.override.client is not None:
                self.own.setdefault(one.override.client, []).append(one)
        self._memo: dict[tuple[object, ...], Standings] = {}
        self._latest: tuple[Scope, Standings] | None = None
        self._timed = [s for s in statements if s.expires is not None or s.schedule is not None]

    def of(self, scope: Scope) -> Standings:
        """Return the statements and overrides of a scope."""
        latest = self._latest  # most networks have one scope
        if latest is not None and latest[0] is scope:
            return latest[1]
        at: tuple[object, ...] = (scope.groups, scope.ranks)
        if self.own and scope.client in self.own:
            at = (*at, scope.client)
        standings = self._memo.get(at)
        if standings is None:
            standings = self._memo[at] = self._sort_out(scope)
        self._latest = (scope, standings)
        return standings

    def next_edge(self, when: datetime) -> datetime | None:
        """Return the first moment after `when` at which any of them begins or ceases to hold; None for never."""
        return _first_edge((*self._timed, *(one.override for one in self._overrides)), when)

    def next_shared_edge(self, when: datetime) -> datetime | None:
        """Return the same without the overrides that single clients have of their own."""
        return _first_edge((*self._timed, *(one.override for one in self._shared)), when)

    def next_own_edge(self, client: str | None, when: datetime) -> datetime | None:
        """Return the first moment after `when` at which an override that a client has of its own changes."""
        return _first_edge([one.override for one in self.own.get(client, ())], when) if client is not None else None

    def _sort_out(self, scope: Scope) -> Standings:
        by_key: dict[Key, list[Standing]] = {}
        for key, statement in self._keyed:
            rank = scope.rank_of(statement.group)
            if rank is not None:
                place = (rank, -statement.action, statement.id)
                standing = Standing(statement, place, str(statement.subject), statement.scope)
                by_key.setdefault(key, []).append(standing)
        shared = [one for one in self._shared if scope.rank_of(one.override.group) is not None]
        own = self.own.get(scope.client, ()) if scope.client is not None else ()
        overrides = _arranged(sorted((*shared, *own), key=lambda one: one.override.order))
        for key in overrides.by_key:
            by_key.setdefault(key, [])
        for standings in by_key.values():
            standings.sort(key=lambda standing: standing.rank)
        networks = sorted({key[:2] for key in by_key if isinstance(key, tuple)}, key=lambda size: size[1])
        has_domains = any(isinstance(key, bytes) for key in by_key)
        return Standings(
            by_key, has_domains, networks, overrides if overrides.ordered else None, "unreviewed" in by_key
        )


def key_of(statement: Statement) -> Key:
    """Return what the statement is found by.

    Raises:
        PolicyError: the value of its subject is not of its kind, or its expiry has no time zone.
    """
    if statement.expires is not None and statement.expires.tzinfo is None:
        raise PolicyError(f"statement {statement.id} on {statement.subject}: the expiry has no time zone")
    return _key_of_subject(statement.subject, f"statement {statement.id}")


def _first_edge(found: Sequence[Statement | Override], when: datetime) -> datetime | None:
    edges = [one.next_edge(when) for one in found]
    return min((edge for edge in edges if edge is not None), default=None)


def _arranged(ordered: Sequence[StandingOverride]) -> StandingOverrides:
    by_key: dict[Key, list[int]] = {}
    for place, one in enumerate(ordered):
        for key in one.subjects:
            by_key.setdefault(key, []).append(place)
    everywhere = [place for place, one in enumerate(ordered) if not one.subjects]
    has_lockdown = any(one.override.kind is OverrideKind.LOCKDOWN for one in ordered)
    return StandingOverrides(ordered, by_key, everywhere, has_lockdown)


def _standing(override: Override) -> StandingOverride:
    if override.ends.tzinfo is None or (override.begins is not None and override.begins.tzinfo is None):
        raise PolicyError(f"{override.name}: a time has no time zone")
    if not override.subjects and override.kind is not OverrideKind.PAUSE:
        raise PolicyError(f"{override.name}: is about nothing")
    subjects = {_key_of_subject(subject, override.name): str(subject) for subject in override.subjects}
    return StandingOverride(override, subjects)


def _key_of_subject(subject: Subject, whose: str) -> Key:
    if subject.kind is SubjectKind.DOMAIN:
        return wire_from_text(subject.value)
    if subject.kind is SubjectKind.ADDRESS:
        try:
            network = parse_network(subject.value)
        except ValueError as error:
            raise PolicyError(f"{whose} on {subject}: {error}") from error
        host_bits = network.max_prefixlen - network.prefixlen
        return (network.version, host_bits, int(network.network_address) >> host_bits)
    return str(subject)
