"""Say of a client who it is, in which groups by which member, and which of them wins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sinkhole.app.apply import request
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import running_server
from sinkhole.clients.known import Fact, Known
from sinkhole.clients.table import TableError, identity_of_row, read_table
from sinkhole.config.schema import Settings
from sinkhole.errors import SinkholeError
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Membership
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import MemberKind

_KINDS = {MemberKind.ID: "a client-id", MemberKind.MAC: "a MAC address", MemberKind.NAME: "a name"}


@dataclass(frozen=True, slots=True)
class Belonging:
    """A group of a client: the member that put it there, its place (1 wins), and what decided between it and the next.

    `is_tie`: the group before it is as strong, so the stricter of two statements holds.
    """

    group: str
    members: tuple[str, ...]
    place: int
    is_tie: bool
    why: str | None


def ask_server(settings: Settings, address: str) -> Known | None:
    """Return what the running server knows of a client, None where it knows nothing or none runs."""
    if not running_server(settings.server.data_dir):
        return None
    try:
        found = request(settings.server.data_dir, {"op": "client", "address": address})["known"]
    except SinkholeError:  # it does not answer, or is of an older version
        return None
    return None if found is None else _known(found)


def published_identity(settings: Settings, address: str) -> Identity | None:
    """Return who is at an address by the table that the workers judge by.

    Raises:
        SinkholeError: the table is damaged.
    """
    try:
        row = read_table(compiled_folder(settings.server.data_dir)).get(address)
    except TableError as error:
        raise SinkholeError(str(error)) from error
    return None if row is None else identity_of_row(row)


def noted_facts(identity: Identity, host: str | None, source: str) -> tuple[Fact, ...]:
    """Return an identity as facts of one source."""
    facts = [Fact("mac", identity.mac, source)] if identity.mac else []
    facts += [Fact("id", one, source) for one in identity.ids] + [Fact("name", one, source) for one in identity.names]
    return tuple(facts + ([Fact("host", host, source)] if host else []))


def belongings(memberships: Sequence[Membership]) -> list[Belonging]:
    """Return the groups of a client, that which wins first, from its memberships with the strongest first."""
    by_group: dict[str, list[Membership]] = {}
    for membership in memberships:
        by_group.setdefault(membership.group, []).append(membership)
    strongest = [found[0] for found in by_group.values()]
    places = []
    for number, one in enumerate(strongest):
        before = strongest[number - 1] if number else None
        after = strongest[number + 1] if number + 1 < len(strongest) else None
        is_tie = before is not None and before.strength == one.strength
        members = tuple(str(found.member) for found in by_group[one.group])
        places.append(Belonging(one.group, members, number + 1, is_tie, _why(one, after)))
    return places


def groups_in_words(policy: Policy, address: str, identity: Identity | None) -> list[str]:
    """Return the groups of a client, each with the member that put it there: `lab by mac:aa:bb:cc:dd:ee:ff`."""
    return [f"{one.group} by {one.members[0]}" for one in belongings(policy.memberships(address, identity))]


def _why(one: Membership, after: Membership | None) -> str | None:
    """Say why a group goes before the next one."""
    if after is None:
        return None
    (kind, width), (next_kind, next_width) = one.member.specificity, after.member.specificity
    if kind != next_kind:
        return f"{_words(one)} is more specific than {_words(after)} ({after.member} of {after.group})"
    if width != next_width:
        return f"{one.member} is more specific than {after.member} of {after.group}"
    if one.order != after.order:
        return f"as specific as {after.member} of {after.group}; order {one.order} goes before {after.order}"
    return f"as specific as {after.member} of {after.group}, and the same order {one.order}: the stricter action holds"


def _words(one: Membership) -> str:
    member = one.member
    if member.kind is MemberKind.MAC and member.specificity[0] != 1:
        return "a MAC prefix"
    if member.kind is MemberKind.NETWORK:
        return "an address" if member.specificity[0] == 2 else "a network"
    return _KINDS[member.kind]


def _known(found: dict[str, Any]) -> Known:
    identity = found["identity"]
    return Known(
        Identity(identity["mac"], tuple(identity["names"]), tuple(identity["ids"])),
        found["host"],
        tuple(Fact(**fact) for fact in found["facts"]),
        found["is_alive"],
    )
