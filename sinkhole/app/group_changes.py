"""Change groups of clients, as the command line and the admin side do it."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sinkhole.app.expectations import gated
from sinkhole.app.members import member_text, unknown_kinds
from sinkhole.app.state import State
from sinkhole.app.subjects import nearest
from sinkhole.errors import PolicyError
from sinkhole.policy.groups import name_mistake
from sinkhole.policy.overlaps import ties_of
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockAnswer, BlockMode
from sinkhole.resolver.blocked import block_answer


@dataclass(frozen=True, slots=True)
class Answering:
    """How blocked names are to be answered in a group, as far as that is said; None: as it was."""

    mode: BlockMode | None = None
    ipv4: str | None = None
    ipv6: str | None = None

    def over(self, server: BlockAnswer, before: BlockAnswer | None) -> BlockAnswer | None:
        """Return the answer of the group; with one address given, the other family has none (as in the settings)."""
        if not (self.mode or self.ipv4 or self.ipv6):
            return before
        answer = server.of_group(self.mode, before) if self.mode else before or server
        return replace(answer, ipv4=self.ipv4, ipv6=self.ipv6) if self.ipv4 or self.ipv6 else answer


def add_to_group(
    state: State, name: str, members: Iterable[str], order: int | None, answering: Answering, *, force: bool = False
) -> Group:
    """Add a group, or members to one, and return it.

    Raises:
        PolicyError: its name, or a member, is none.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    if mistake := name_mistake(name):
        raise PolicyError(mistake)
    before = groups_by_name(state).get(name, Group(name, ()))
    group = replace(
        before,
        members=tuple(dict.fromkeys((*before.members, *map(member_text, members)))),
        order=before.order if order is None else order,
        answer=answering.over(block_answer(state.settings.blocking), before.answer),
    )
    with gated(state, force=force):
        state.policy.put_group(group)
    return group


def remove_from_group(state: State, name: str, members: Iterable[str], *, force: bool = False) -> Group:
    """Remove members of a group, and return it.

    Raises:
        PolicyError: there is no such group, or no such member.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    group = group_of(state, name)
    gone = set(map(member_text, members))
    missing = sorted(gone - set(group.members))
    if missing:
        raise PolicyError(f"group {name} has no member {', '.join(missing)}")
    after = replace(group, members=tuple(member for member in group.members if member not in gone))
    with gated(state, force=force):
        state.policy.put_group(after)
    return after


def remove_group(state: State, name: str, *, force: bool = False) -> Group:
    """Remove a group and the statements on it; return it.

    Raises:
        PolicyError: there is no such group.
        BrokenExpectationError: it would break an expectation; nothing is changed.
    """
    group = group_of(state, name)
    with gated(state, force=force):
        state.policy.remove_group(name)
    return group


def address_of_version(text: str, version: int) -> str:
    """Return an address of one IP version in its usual spelling.

    Raises:
        PolicyError: it is none.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or address.version != version:
        raise PolicyError(f"{text!r} is no IPv{version} address")
    return str(address)


def group_of(state: State, name: str) -> Group:
    """Return a group.

    Raises:
        PolicyError: there is none of this name; the nearest is told.
    """
    known = groups_by_name(state)
    if name not in known:
        raise PolicyError(f"there is no group {name!r}{nearest(name, tuple(known))}")
    return known[name]


def groups_by_name(state: State) -> dict[str, Group]:
    """Return all groups."""
    return {group.name: group for group in state.policy.groups()}


def remarks_on_group(state: State, before: Iterable[Group], group: Group) -> list[str]:
    """Say what is to be known of a group that was changed: new ties, and members that nothing tells the server of.

    Args:
        before: the groups as they were.
    """
    known = tuple(before)
    after = (*(one for one in known if one.name != group.name), group)
    return [*new_ties(known, after), *unknown_kinds((group,), state.settings.clients)]


def new_ties(before: Iterable[Group], after: Sequence[Group]) -> list[str]:
    """Return in sentences the ties that groups have and did not have before."""
    known = set(ties_of(tuple(before)))
    return [
        f"{tie.winner.member} of {tie.winner.group} and {tie.loser.member} of {tie.loser.group} are equally specific"
        f" and of the same order {tie.winner.order}: who is in both gets the stricter action, or --order settles it"
        for tie in ties_of(after)
        if tie not in known
    ]
