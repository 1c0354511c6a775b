"""Groups of another resolver beside those that are here."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

from sinkhole.app.import_names import Names
from sinkhole.foreign.member import address_member
from sinkhole.foreign.model import Foreign, ForeignGroup, Place
from sinkhole.policy.groups import parse_network
from sinkhole.policy.statement import Group

_Network = IPv4Network | IPv6Network
_MOST_COMPARED = 2000
"""Members that are looked at for networks within networks."""


def merged_groups(
    before: Iterable[Group], foreign: Foreign, names: Names, needed: set[str]
) -> tuple[Group, ...]:  # fmt: skip
    """Return the groups there are to be: those that are here get the members of those of the same name."""
    groups = {group.name: group for group in before}
    for name, members in _imported(foreign, names):
        if members or name in needed:
            known = groups.get(name, Group(name, ()))
            groups[name] = replace(known, members=tuple(sorted({*known.members, *members})))
    return tuple(groups.values())


def _imported(foreign: Foreign, names: Names) -> Iterator[tuple[str, tuple[str, ...]]]:
    for group in foreign.groups:
        yield names.group(group.name) or group.name, group.members
    if foreign.outside:
        yield names.outside, tuple(dict.fromkeys(foreign.outside))


def note_groups(foreign: Foreign, names: Names) -> None:
    """Note where groups mean something else here."""
    for place, inner, outer, group in _nested(foreign.groups):
        why = f"is within {outer} of group {group}, so what holds for that group holds for it too"
        foreign.alter(place, inner, why)
    if foreign.outside and (foreign.lists or foreign.rules):
        why = (
            f"{', '.join(dict.fromkeys(foreign.outside[:5]))}{' …' if len(foreign.outside) > 5 else ''} are in group "
            f"{names.outside}, for whom the lists are allowed; so are names of the catalogue that these lists have"
        )
        foreign.alter(Place(foreign.product), "clients to whom the lists for all do not apply", why)


def _nested(groups: Iterable[ForeignGroup]) -> Iterator[tuple[Place, str, str, str]]:
    """Yield the members of a group that are within a network of another."""
    members = [(group, member, network) for group in groups for member, network in _networks(group)]
    members = members[:_MOST_COMPARED]
    outer = [(group, member, network) for group, member, network in members if network.num_addresses > 1]
    for group, member, network in members:
        for other, other_member, other_network in outer:
            if other.name != group.name and network != other_network and _is_within(network, other_network):
                yield group.place, member, other_member, other.name


def _networks(group: ForeignGroup) -> Iterator[tuple[str, _Network]]:
    for member in group.members:
        if address_member(member):
            yield member, parse_network(member)


def _is_within(inner: _Network, outer: _Network) -> bool:
    if inner.version != outer.version:
        return False
    return inner.subnet_of(outer)  # type: ignore[arg-type]
