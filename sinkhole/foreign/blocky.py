"""A blocky: its configuration, one YAML file."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.blocky_lists import ListGroups
from sinkhole.foreign.blocky_names import read_custom_dns
from sinkhole.foreign.member import address_member, group_name, id_member, name_member, unused_name
from sinkhole.foreign.model import Foreign, ForeignGroup, Place, Scope
from sinkhole.foreign.source import read_text, text_kind
from sinkhole.foreign.yaml_section import Section, root_section
from sinkhole.foreign.yaml_tree import read_yaml

_ELSEWHERE: Final = "settings of the server are in the configuration file here (docs/configuration.md)"
_DEFAULT: Final = "default"
_OWN_KEYS: Final = frozenset({"blocking", "upstreams", "upstream", "customDNS", "conditional", "clientLookup", "ports"})


def read_blocky(path: Path) -> Foreign:
    """Read what a configuration of blocky says.

    Raises:
        ForeignFileError: the file is none, or broken.
    """
    text = read_text(path, "a configuration of blocky")
    root = root_section(read_yaml(text, path.name), path.name)
    if not _OWN_KEYS & set(root.names()) or "schema_version" in root.names():
        raise ForeignFileError(f"{path}: wanted a configuration of blocky; it looks like {text_kind(text)}")
    into = Foreign("blocky")
    blocking = root.section("blocking")
    scopes = _read_clients(blocking, root.section("clientLookup"), into)
    ListGroups(blocking, scopes, into).read()
    _read_block_type(blocking, into)
    read_custom_dns(root.section("customDNS"), into)
    _read_upstreams(root, into)
    for name in ("blocking", "clientLookup", "customDNS", "conditional", "upstreams", "hostsFile", "filtering"):
        root.section(name).note_unused(into, _ELSEWHERE)
    root.note_unused(into, _ELSEWHERE)
    return into


def _read_clients(blocking: Section, lookup: Section, into: Foreign) -> Mapping[str, list[Scope]]:
    """Take in the groups of clients; return for whom each group of lists holds."""
    addresses = _addresses_of_names(lookup, into)
    by_client = blocking.section("clientGroupsBlock")
    scopes: dict[str, list[Scope]] = {}
    taken: set[str] = set()
    for key in by_client.names():
        place = by_client.place_of(key)
        scope: Scope = None
        if key != _DEFAULT:
            scope = unused_name(group_name(key), taken)
            taken.add(scope)
            members = into.admit_members(_members(key, addresses, place, into), place)
            into.groups.append(ForeignGroup(scope, members, place))
            into.outside += members
        for name, _ in by_client.texts(key):
            scopes.setdefault(name, []).append(scope)
    return scopes


def _addresses_of_names(lookup: Section, into: Foreign) -> Mapping[str, list[str]]:
    """Return the addresses that blocky was told for names of clients."""
    clients = lookup.section("clients")
    found: dict[str, list[str]] = {}
    for name in clients.names():
        for text, place in clients.texts(name):
            member = address_member(text)
            if member is None:
                into.leave_out(place, text, "is no address")
            else:
                found.setdefault(name.lower(), []).append(member)
    return found


def _members(key: str, addresses: Mapping[str, list[str]], place: Place, into: Foreign) -> Iterable[str]:
    """Return the members that a client of blocky is: an address, a network, a client-id, or a name with wildcards."""
    address = address_member(key)
    if address is not None:
        return [address]
    known = _named(key.lower(), addresses)
    if known:
        return known
    member = id_member(key.removeprefix("id-")) if key.startswith("id-") else name_member(key)
    if member is None:
        into.leave_out(place, key, "is no address, network or name of a client")
    return [member] if member else []


def _named(pattern: str, addresses: Mapping[str, list[str]]) -> list[str]:
    return [member for name, members in addresses.items() if fnmatchcase(name, pattern) for member in members]


def _read_block_type(blocking: Section, into: Foreign) -> None:
    kind = blocking.text("blockType", "zeroIp")
    if kind.lower() != "zeroip":
        said = "set blocking.mode to nxdomain" if kind.lower() == "nxdomain" else "set blocking.ipv4 and blocking.ipv6"
        into.leave_out(blocking.place_of("blockType"), kind, said)


def _read_upstreams(root: Section, into: Foreign) -> None:
    upstreams = root.section("upstreams")
    for section in (upstreams.section("groups"), root.section("upstream")):
        for key in section.names():
            why = "set it as one of upstream.servers" if key == _DEFAULT else "upstreams are the same for all clients"
            for text, place in section.texts(key):
                into.leave_out(place, text, why)
    zones = root.section("conditional").section("mapping")
    for name in zones.names():
        said = f"{name} -> {zones.text(name)}"
        into.leave_out(zones.place_of(name), said, "set a zone of its own: [[upstream.zones]]")
