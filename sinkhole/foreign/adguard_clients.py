"""The clients of an AdGuard Home: who they are, and in what they differ from all others."""

from collections.abc import Sequence
from dataclasses import dataclass

from sinkhole.foreign.adguard_schedule import pause_of, rest_of
from sinkhole.foreign.adguard_services import SUBJECTS
from sinkhole.foreign.member import address_member, group_name, id_member, mac_member, unused_name
from sinkhole.foreign.model import Foreign, ForeignGroup, ForeignStatement, Place, Scope
from sinkhole.foreign.yaml_section import Section
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.verdict import Action

_GUARDS = ("parental_enabled", "safebrowsing_enabled", "safesearch_enabled")


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its name, its tags, and its addresses and networks."""

    name: str
    tags: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Services:
    """What is blocked of services: by identifier, with its place; and when not."""

    ids: tuple[tuple[str, Place], ...] = ()
    pause: Schedule | None = None


def read_services(section: Section, into: Foreign) -> Services:
    """Return what a section `blocked_services` says, `{ids: …, schedule: …}`."""
    return Services(tuple(section.texts("ids")), pause_of(section.section("schedule"), into))


def block_services(services: Services, scope: Scope, into: Foreign) -> None:
    """Take in what is blocked as statements; note what is no AI."""
    when = rest_of(services.pause) if services.pause else None
    for word, place in services.ids:
        subject = SUBJECTS.get(word)
        if subject is None:
            into.leave_out(place, word, "a service that is no AI; block its domains, or a list of them")
        elif services.pause is None or when is not None:
            reason = f"AdGuard's service {word}"
            into.statements.append(ForeignStatement(subject, Action.BLOCK, scope, place, reason, when))
            if when is not None:
                into.alter(place, word, "in its pause all else that holds here counts, such as a statement on ai")
        else:
            into.leave_out(place, word, "its pause never ends, so it is never blocked")


def read_clients(sections: Sequence[Section], everywhere: Services, into: Foreign) -> list[Client]:
    """Take in the clients.

    Args:
        sections: of the clients.
        everywhere: what is blocked of services for all.
    """
    clients = []
    names: set[str] = set()
    for section in sections:
        client, members = _identity(section, into)
        clients.append(client)
        group = unused_name(group_name(client.name), names)
        names.add(group)
        is_apart = not section.flag("use_global_settings", True) and not section.flag("filtering_enabled", True)
        has_services = not section.flag("use_global_blocked_services", True)
        if is_apart:
            into.outside += members
        if has_services:
            into.groups.append(ForeignGroup(group, members, section.place))
            _differ(section, everywhere, group, into)
        if not is_apart and not has_services:
            into.leave_out(section.place, client.name, "follows what holds for all, so no group is needed for it")
        _note_rest(section, into)
    return clients


def _identity(section: Section, into: Foreign) -> tuple[Client, tuple[str, ...]]:
    members: list[str] = []
    for text, place in section.texts("ids"):
        member = address_member(text) or mac_member(text) or id_member(text)
        if member is None:
            into.leave_out(place, text, "is no address, network, MAC address or ClientID")
        else:
            members += into.admit_members([member], place)
    tags = tuple(text for text, _ in section.texts("tags"))
    addresses = tuple(member for member in members if address_member(member))
    return Client(section.text("name"), tags, addresses), tuple(members)


def _differ(section: Section, everywhere: Services, group: str, into: Foreign) -> None:
    """Block what is blocked for this client, and allow what is blocked for all others only."""
    if section.is_list("blocked_services"):  # as older versions write it
        own = Services(tuple(section.texts("blocked_services")))
    else:
        own = read_services(section.section("blocked_services"), into)
    block_services(own, group, into)
    ids = {word for word, _ in own.ids}
    for word, _ in everywhere.ids:
        subject = SUBJECTS.get(word)
        if subject is None or (word in ids and own.pause is None):
            continue
        reason = f"AdGuard's service {word}, which is not blocked here"
        when = own.pause if word in ids else None
        into.statements.append(ForeignStatement(subject, Action.ALLOW, group, section.place, reason, when))


def _note_rest(section: Section, into: Foreign) -> None:
    for key in _GUARDS:
        if section.flag(key, False):
            into.leave_out(section.place_of(key), key, "there is no such guard here")
    search = section.section("safe_search")
    if search.flag("enabled", False):
        into.leave_out(search.place, "safe_search", "search engines are not rewritten here")
    for text, place in section.texts("upstreams"):
        into.leave_out(place, text, "upstreams are the same for all clients here, save by zone")
