"""Which groups a client is in, by its address and by who it is, and which of them counts more."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from sinkhole.errors import PolicyError
from sinkhole.policy.address import parse_client, parse_network
from sinkhole.policy.glob import glob_matches
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import Member, MemberKind, member_from_text
from sinkhole.policy.statement import Group

__all__ = ["EVERYONE", "ClientGroups", "Membership", "Scope", "name_mistake", "parse_client", "parse_network"]

_is_name = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_place = attrgetter("place")


@dataclass(frozen=True, slots=True)
class Scope:
    """What policy knows of a client: equal scopes get equal verdicts, so answers may be shared within one.

    Attributes:
        groups: all groups of the client, that with the more specific member first, then by their order, then by name.
        ranks: one number per group; equally specific groups have the same. Empty: the position counts.
        client: the address, where a row of a list is limited to single clients (`$client`); else None.
    """

    groups: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    client: str | None = None

    def rank_of(self, group: str | None) -> int | None:
        """Return how specific a scope is for this client, 0 for the most; None where it does not hold for it.

        Args:
            group: name of a group, or None for all clients.
        """
        if group is None:
            return len(self.groups)
        if group not in self.groups:
            return None
        place = self.groups.index(group)
        return self.ranks[place] if self.ranks else place


EVERYONE = Scope()
"""The scope of a client that is in no group."""


@dataclass(frozen=True, slots=True)
class Membership:
    """That a client is in a group, by one of its members.

    Attributes:
        order: that of the group.
        strength: what decides between groups, the lower first; those with the same are a tie.
        place: strength, and then what keeps the order of equal ones.
    """

    group: str
    member: Member
    order: int
    strength: tuple[int, int, int] = field(init=False, compare=False, repr=False)
    place: tuple[tuple[int, int, int], str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Once, since it is compared for every client that is met.
        strength = (*self.member.specificity, self.order)
        object.__setattr__(self, "strength", strength)
        object.__setattr__(self, "place", (strength, self.group, self.member.value))


class ClientGroups:
    """Look-up of groups by address and identity.

    Raises:
        PolicyError: a member is none.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._networks: dict[tuple[int, int], dict[int, list[Membership]]] = {}
        self._macs: dict[int, dict[str, list[Membership]]] = {}
        self._ids: dict[str, list[Membership]] = defaultdict(list)
        self._names: list[Membership] = []
        self.kinds = {member.kind for group in groups for member in self._add_all(group)}
        """Kinds of members there are: of what no member is about nothing need be known."""
        self.has_identities = bool(self.kinds - {MemberKind.NETWORK})

    def _add_all(self, group: Group) -> Iterator[Member]:
        for text in group.members:
            try:
                member = member_from_text(text)
            except PolicyError as error:
                raise PolicyError(f"group {group.name}: {error}") from error
            self._add(Membership(group.name, member, group.order))
            yield member

    def _add(self, membership: Membership) -> None:
        value = membership.member.value
        match membership.member.kind:
            case MemberKind.NETWORK:
                network = parse_network(value)
                at = (network.version, network.max_prefixlen - network.prefixlen)
                here = self._networks.setdefault(at, {}).setdefault(int(network.network_address) >> at[1], [])
                here.append(membership)
            case MemberKind.MAC:
                self._macs.setdefault(len(value), {}).setdefault(value, []).append(membership)
            case MemberKind.ID:
                self._ids[value.casefold()].append(membership)
            case _:
                self._names.append(membership)

    def scope_of(self, address: str, identity: Identity | None = None) -> Scope:
        """Return the scope of a client; of one that no member is about, the policy for all holds.

        Args:
            address: of the client; what is no address matches no network.
            identity: who it is, None where that is not known.
        """
        found = self.memberships(address, identity)
        if not found:
            return EVERYONE
        best = {one.group: one.strength for one in reversed(found)}
        groups = tuple(dict.fromkeys(one.group for one in found))
        steps = sorted(set(best.values()))
        return Scope(groups, tuple(steps.index(best[group]) for group in groups))

    def memberships(self, address: str, identity: Identity | None = None) -> list[Membership]:
        """Return every member that a client is, of each group, the stronger first; equal ones by their group."""
        found = list(self._by_address(address))
        if identity is not None:
            found += self._by_identity(identity)
        found.sort(key=_place)
        return found

    def _by_address(self, address: str) -> Iterator[Membership]:
        client = parse_client(address)
        if client is None:
            return
        number = int(client)
        for (version, host_bits), networks in self._networks.items():
            if version == client.version:
                yield from networks.get(number >> host_bits, ())

    def _by_identity(self, identity: Identity) -> Iterator[Membership]:
        for one in identity.ids:
            yield from self._ids.get(one.casefold(), ())
        if identity.mac is not None:
            for length, macs in self._macs.items():
                yield from macs.get(identity.mac[:length], ())
        for membership in self._names:
            if any(glob_matches(membership.member.value, name) for name in identity.names):
                yield membership


def name_mistake(name: str) -> str | None:
    """Say what is wrong with the name of a group, or return None."""
    return None if _is_name(name) else f"group name {name!r}: wanted lower-case letters, digits and inner -"
