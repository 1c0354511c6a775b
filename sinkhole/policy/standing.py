"""The statements that hold for one client, by their subject, strongest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.errors import PolicyError
from sinkhole.policy.groups import Scope, parse_network
from sinkhole.policy.key import wire_from_text
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import SubjectKind

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


@dataclass(frozen=True, slots=True)
class Standings:
    """All standings of one scope.

    `domains` tells whether any is about a domain, `networks` which address sizes, `unreviewed` the same of that.
    """

    by_key: Mapping[Key, Sequence[Standing]]
    domains: bool
    networks: Sequence[tuple[int, int]]
    unreviewed: bool = False


class Statements:
    """All statements, sorted out per scope as scopes come up; there are few.

    Raises:
        PolicyError: the value of a subject is not of its kind, or an expiry has no time zone.
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._keyed = [(key_of(statement), statement) for statement in statements]
        self._memo: dict[tuple[tuple[str, ...], tuple[int, ...]], Standings] = {}
        self._timed = [s for s in statements if s.expires is not None or s.schedule is not None]

    def of(self, scope: Scope) -> Standings:
        """Return the statements that hold for a scope."""
        at = (scope.groups, scope.ranks)
        standings = self._memo.get(at)
        if standings is None:
            standings = self._memo[at] = self._sort_out(scope)
        return standings

    def next_edge(self, when: datetime) -> datetime | None:
        """Return the first moment after `when` at which a statement begins or ceases to hold; None for never."""
        edges = (statement.next_edge(when) for statement in self._timed)
        return min((edge for edge in edges if edge is not None), default=None)

    def _sort_out(self, scope: Scope) -> Standings:
        by_key: dict[Key, list[Standing]] = {}
        for key, statement in self._keyed:
            rank = scope.rank_of(statement.group)
            if rank is not None:
                place = (rank, -statement.action, statement.id)
                standing = Standing(statement, place, str(statement.subject), statement.scope)
                by_key.setdefault(key, []).append(standing)
        for standings in by_key.values():
            standings.sort(key=lambda standing: standing.rank)
        networks = sorted({key[:2] for key in by_key if isinstance(key, tuple)}, key=lambda size: size[1])
        return Standings(by_key, any(isinstance(key, bytes) for key in by_key), networks, "unreviewed" in by_key)


def key_of(statement: Statement) -> Key:
    """Return what the statement is found by.

    Raises:
        PolicyError: the value of its subject is not of its kind, or its expiry has no time zone.
    """
    subject = statement.subject
    if statement.expires is not None and statement.expires.tzinfo is None:
        raise PolicyError(f"statement {statement.id} on {subject}: the expiry has no time zone")
    if subject.kind is SubjectKind.DOMAIN:
        return wire_from_text(subject.value)
    if subject.kind is SubjectKind.ADDRESS:
        try:
            network = parse_network(subject.value)
        except ValueError as error:
            raise PolicyError(f"statement {statement.id} on {subject}: {error}") from error
        host_bits = network.max_prefixlen - network.prefixlen
        return (network.version, host_bits, int(network.network_address) >> host_bits)
    return str(subject)
