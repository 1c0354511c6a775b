"""Groups of clients."""

from typing import Annotated, Literal

from pydantic import Field

from sinkhole.app.group_changes import (
    Answering,
    add_to_group,
    address_of_version,
    groups_by_name,
    remarks_on_group,
    remove_from_group,
    remove_group,
)
from sinkhole.app.state import State
from sinkhole.policy.statement import Group
from sinkhole.policy.verdict import BlockMode
from sinkhole.web.model import Forced, Model, Page, Paged, Word, page_of
from sinkhole.web.problem import not_found

Members = Annotated[list[Word], Field(min_length=1, max_length=500)]


class GroupPlace(Model):
    """A group."""

    group: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class GroupBody(Model):
    """Members to add to a group, and what else is said of it; what is left out stays as it is."""

    members: Members = Field(description="192.0.2.7, 192.0.2.0/24, mac:aa:bb:cc:dd:ee:ff, name:*.lab.example, id:X.")
    order: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = Field(
        None, description="Between equally specific members the lower wins; 100 for a new group."
    )
    mode: Literal["address", "nxdomain", "nodata", "refused"] | None = Field(
        None, description="How blocked names are answered."
    )
    ipv4: Word | None = Field(None, description="Sinkhole address for A.")
    ipv6: Word | None = Field(None, description="Sinkhole address for AAAA.")


class MembersBody(Model):
    """Members to remove."""

    members: Members


class GroupShown(Model):
    """A group; `mode` null: blocked names are answered as the server's settings say."""

    name: str
    order: int
    members: list[str]
    mode: str | None
    ipv4: str | None
    ipv6: str | None

    @classmethod
    def of(cls, group: Group) -> "GroupShown":
        """Return a group."""
        answer = group.answer
        return cls(
            name=group.name, order=group.order, members=list(group.members),
            mode=answer.mode.value if answer else None, ipv4=answer.ipv4 if answer else None,
            ipv6=answer.ipv6 if answer else None,
        )  # fmt: skip


def list_groups(state: State, query: Paged) -> Page[GroupShown]:
    """List groups with their members."""
    return page_of([GroupShown.of(group) for group in state.policy.groups()], query, lambda one: one.name)


def show_group(state: State, place: GroupPlace) -> GroupShown:
    """Show a group."""
    return GroupShown.of(_of(state, place))


def add_members(state: State, place: GroupPlace, body: GroupBody, query: Forced, notes: list[str]) -> GroupShown:
    """Add members to a group, which is made where there is none."""
    before = groups_by_name(state).values()
    answering = Answering(BlockMode(body.mode) if body.mode else None, _address(body.ipv4, 4), _address(body.ipv6, 6))
    group = add_to_group(state, place.group, body.members, body.order, answering, force=query.force)
    notes.extend(remarks_on_group(state, before, group))
    return GroupShown.of(group)


def remove_members(state: State, place: GroupPlace, body: MembersBody, query: Forced) -> GroupShown:
    """Remove members of a group."""
    _of(state, place)
    return GroupShown.of(remove_from_group(state, place.group, body.members, force=query.force))


def delete_group(state: State, place: GroupPlace, query: Forced) -> GroupShown:
    """Remove a group, and the statements on it."""
    _of(state, place)
    return GroupShown.of(remove_group(state, place.group, force=query.force))


def group_before(state: State, place: GroupPlace) -> GroupShown | None:
    """Return the group as it is, or None."""
    found = groups_by_name(state).get(place.group)
    return None if found is None else GroupShown.of(found)


def _of(state: State, place: GroupPlace) -> Group:
    found = groups_by_name(state).get(place.group)
    if found is None:
        raise not_found(f"group {place.group!r}")
    return found


def _address(text: str | None, version: int) -> str | None:
    return None if text is None else address_of_version(text, version)
