"""Groups of clients: who is in one, what is said to it, what it tried; members are added and removed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from sinkhole.app.group_changes import groups_by_name
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.vendor_verdicts import actions_on
from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import EVERYONE, Scope
from sinkhole.policy.vendor import Vendor
from sinkhole.store.group_counts import GroupCount, group_counts
from sinkhole.web.actor import Actor
from sinkhole.web.api.groups import (
    GroupBody,
    GroupPlace,
    GroupShown,
    MembersBody,
    add_members,
    delete_group,
    group_before,
    remove_members,
    show_group,
)
from sinkhole.web.api.policy import StatementShown, in_order
from sinkhole.web.model import Forced, Model, Paged, Word, page_of
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.fields import ticked
from sinkhole.web.pages.published import published_policy
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError

DAYS = 30
_VENDORS = 12
_MODES = (("address", "With the sinkhole's address"), ("nxdomain", "There is no such name"),
          ("nodata", "The name has no address"), ("refused", "Refused"))  # fmt: skip
_FIELDS = ("members", "order", "mode", "ipv4", "ipv6")


class GroupsAsked(Paged):
    """Which groups."""

    text: Word | None = None


class MembersAsked(Paged):
    """Which members of a group."""

    text: Word | None = None


class MemberLine(Model):
    """A member, and its kind in words."""

    text: str
    kind: str


def groups_page(state: State, query: GroupsAsked) -> View:
    """List groups with how many members and statements each has."""
    counts: dict[str | None, int] = {}
    for one in state.policy.statements():
        counts[one.group] = counts.get(one.group, 0) + 1
    every = [GroupShown.of(group) for group in state.policy.groups()]
    text = (query.text or "").lower()
    found = [one for one in every if text in one.name or any(text in member.lower() for member in one.members)]
    return View("groups.html", {
        "asked": query, "found": page_of(found, query, lambda one: one.name), "all": len(every), "count": len(found),
        "statements": counts,
    })  # fmt: skip


def group_page(state: State, place: GroupPlace, query: MembersAsked, actor: Actor) -> View:
    """Show a group."""
    return _page(state, place.group, query, actor, None, {})


def new_page() -> View:
    """Show the form for a new group."""
    return _form({}, None)


async def add_group(request: web.Request) -> web.Response:
    """Make a group."""
    form = await form_of(request, "name", "force", *_FIELDS)
    name = form["name"].strip()

    def work(state: State) -> Done:
        place = body_of(NamedGroup, {"name": name})
        if place.name in groups_by_name(state):
            raise RequestError(422, f"name: there is a group {place.name} already; members are added on its page")
        notes: list[str] = []
        add_members(state, GroupPlace(group=place.name), _body(form), _forced(form), notes)
        return Done(f"/groups/{place.name}", f"The group {place.name} was made.", tuple(notes))

    return await change(request, work, lambda _, refused: _form(form, refused))


class NamedGroup(Model):
    """The name of a new group."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


async def add_to(request: web.Request, place: GroupPlace, actor: Actor) -> web.Response:
    """Add members to a group, or change how it is answered."""
    form = await form_of(request, "version", "force", *_FIELDS)

    def work(state: State) -> Done:
        show_group(state, place)
        notes: list[str] = []
        after = add_members(state, place, _body(form), _forced(form), notes)
        return Done(f"/groups/{place.group}", f"Saved: {place.group} has {_members(after)}.", tuple(notes))

    def again(state: State, refused: Refused) -> View:
        return _page(state, place.group, MembersAsked(), actor, refused, form)

    return await change(request, work, again, _guard(form, place))


async def take_out(request: web.Request, place: GroupPlace, actor: Actor) -> web.Response:
    """Remove the members of a group that are ticked."""
    form = await form_of(request, "version", "force", "member")
    members = await ticked(request, "member")

    def work(state: State) -> Done:
        if not members:
            raise RequestError(422, "members: tick those that are to go")
        after = remove_members(state, place, body_of(MembersBody, {"members": members}), _forced(form))
        return Done(f"/groups/{place.group}", f"Removed {len(members)}: {place.group} has {_members(after)}.")

    def again(state: State, refused: Refused) -> View:
        return _page(state, place.group, MembersAsked(), actor, refused, {"ticked": members})

    return await change(request, work, again, _guard(form, place))


async def delete(request: web.Request, place: GroupPlace, actor: Actor) -> web.Response:
    """Remove a group with the statements on it."""
    form = await form_of(request, "version", "force")

    def work(state: State) -> Done:
        delete_group(state, place, _forced(form))
        return Done("/groups", f"The group {place.group} was removed, with the statements on it.")

    def again(state: State, refused: Refused) -> View:
        return _page(state, place.group, MembersAsked(), actor, refused, {"removal": True})

    return await change(request, work, again, _guard(form, place))


def _guard(form: dict[str, str], place: GroupPlace) -> Guard:
    return Guard(form["version"], lambda state: group_before(state, place))


def _forced(form: dict[str, str]) -> Forced:
    return Forced(force=bool(form["force"]))


def _body(form: dict[str, str]) -> GroupBody:
    members = [word for line in form["members"].splitlines() for word in line.replace(",", " ").split()]
    values = {name: form[name].strip() for name in ("mode", "ipv4", "ipv6")}
    return body_of(GroupBody, values | {"members": members, "order": form["order"].strip()})


def _members(group: GroupShown) -> str:
    return "1 member" if len(group.members) == 1 else f"{len(group.members)} members"


def _form(form: dict[str, str], refused: Refused | None) -> View:
    shown = dict.fromkeys(("name", *_FIELDS), "") | form
    return View("group_form.html", {"form": shown, "refused": refused, "modes": _MODES})


def _page(
    state: State, name: str, query: MembersAsked, actor: Actor, refused: Refused | None, form: Mapping[str, object]
) -> View:
    group = show_group(state, GroupPlace(group=name))
    text = (query.text or "").lower()
    members = [MemberLine(text=one, kind=_kind(one)) for one in group.members if text in one.lower()]
    may_report = actor.may(Right.REPORT, "reports")
    return View("group.html", {
        "group": group, "asked": query, "members": page_of(members, query, lambda one: one.text),
        "statements": [StatementShown.of(one) for one in in_order(state) if one.group == name],
        "vendors": _vendors(state, name) if may_report else None, "days": DAYS,
        "guard": version_of(group), "refused": refused, "modes": _MODES,
        "form": dict.fromkeys(_FIELDS, "") | {"ticked": [], "removal": False} | dict(form),
    })  # fmt: skip


def _kind(member: str) -> str:
    word, colon, _ = member.partition(":")
    kinds = {"mac": "MAC address", "name": "name", "id": "client-id"}
    if colon and word in kinds:
        return kinds[word]
    return "network" if "/" in member else "address"


@dataclass(frozen=True, slots=True)
class VendorTried:
    """A vendor that a group tried: how often, as a share of the most tried, and what policy says of its products."""

    count: GroupCount
    name: str
    share: float
    actions: tuple[str, ...]


def _vendors(state: State, name: str) -> list[VendorTried]:
    """Return the vendors that the group tried most, and what policy says of each to it and to others."""
    first = int(time.time()) // 86_400 - DAYS
    counts = group_counts(state.store, name, first, state.settings.record.attempt_window)[:_VENDORS]
    if not counts:
        return []
    policy, now = published_policy(state), datetime.now(UTC)
    known = state.catalogue().catalogue.by_id
    scope = policy.scope_of_group(name) or EVERYONE
    most = max(one.attempts for one in counts) or 1
    return [_tried(one, known.get(one.vendor), policy, scope, now, most) for one in counts]


def _tried(
    one: GroupCount, vendor: Vendor | None, policy: Policy, scope: Scope, now: datetime, most: int
) -> VendorTried:
    actions = () if vendor is None else actions_on(policy, vendor, scope, now)
    return VendorTried(one, vendor.name if vendor else one.vendor, one.attempts / most, actions)
