"""Where two groups reach the same clients: by their members alone, and by the clients that were seen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sinkhole.policy.address import parse_network
from sinkhole.policy.glob import globs_meet
from sinkhole.policy.groups import Membership
from sinkhole.policy.member import Member, MemberKind, member_from_text
from sinkhole.policy.statement import Group

_Key = tuple[str, int, int | str]
"""A set of clients: which kind, how wide, which one. A wider key of the same client is had by dropping digits."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two members of different groups that reach the same clients; the group of the first wins, unless it is a tie."""

    winner: Membership
    loser: Membership

    @property
    def is_tie(self) -> bool:
        """Whether neither goes before the other: then the stricter of two statements holds."""
        return self.winner.strength == self.loser.strength


@dataclass(frozen=True, slots=True)
class Meeting:
    """Clients that are in two groups, and which of the two wins for them."""

    winner: str
    loser: str
    is_tie: bool
    clients: tuple[str, ...]


def overlaps_of(groups: Sequence[Group]) -> list[Overlap]:
    """Return the overlaps that the members alone tell, ties first: whoever the clients are, these meet.

    A MAC address and a network may meet as well, which only the clients tell: see `meetings_of`.
    """
    members = [Membership(g.name, member_from_text(text), g.order) for g in groups for text in g.members]
    found = {_overlap(one, other) for one, other in _meeting_pairs(members) if one.group != other.group}
    return sorted(found, key=_place)


def ties_of(groups: Sequence[Group]) -> list[Overlap]:
    """Return the overlaps in which no group goes before the other."""
    return [overlap for overlap in overlaps_of(groups) if overlap.is_tie]


def meetings_of(seen: Iterable[tuple[str, Sequence[Membership]]]) -> list[Meeting]:
    """Return which groups clients are in together, ties first.

    Args:
        seen: clients with their memberships, the stronger first.
    """
    clients: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for client, memberships in seen:
        best: dict[str, Membership] = {}
        for membership in memberships:
            best.setdefault(membership.group, membership)
        for winner, loser in combinations(best.values(), 2):
            clients[winner.group, loser.group, winner.strength == loser.strength].append(client)
    met = [Meeting(*key, tuple(found)) for key, found in clients.items()]
    return sorted(met, key=lambda one: (not one.is_tie, one.winner, one.loser))


def _overlap(one: Membership, other: Membership) -> Overlap:
    return Overlap(*sorted((one, other), key=lambda m: m.place))


def _place(overlap: Overlap) -> tuple[bool, str, str, str, str]:
    winner, loser = overlap.winner, overlap.loser
    return (not overlap.is_tie, winner.group, loser.group, winner.member.value, loser.member.value)


def _meeting_pairs(members: Sequence[Membership]) -> Iterator[tuple[Membership, Membership]]:
    names = [membership for membership in members if membership.member.kind is MemberKind.NAME]
    for one, other in combinations(names, 2):
        if globs_meet(one.member.value, other.member.value):
            yield one, other
    by_key: dict[_Key, list[Membership]] = defaultdict(list)
    widths: dict[str, set[int]] = defaultdict(set)
    others = [membership for membership in members if membership.member.kind is not MemberKind.NAME]
    for membership in others:
        space, width, value = _key(membership.member)
        by_key[space, width, value].append(membership)
        widths[space].add(width)
    for membership in others:
        for key in _wider_keys(_key(membership.member), widths):
            for other in by_key.get(key, ()):
                yield membership, other


def _key(member: Member) -> _Key:
    if member.kind is MemberKind.ID:
        return ("id", 0, member.value.casefold())
    if member.kind is MemberKind.MAC:
        return ("mac", len(member.value), member.value)
    network = parse_network(member.value)
    host_bits = network.max_prefixlen - network.prefixlen
    return (f"ipv{network.version}", -host_bits, int(network.network_address) >> host_bits)


def _wider_keys(key: _Key, widths: dict[str, set[int]]) -> Iterator[_Key]:
    """Yield the key, and those of the wider sets that the same clients are in, of the widths there are."""
    space, width, value = key
    for wider in widths[space]:
        if wider <= width:
            yield (space, wider, value >> (width - wider) if isinstance(value, int) else value[:wider] or value)
