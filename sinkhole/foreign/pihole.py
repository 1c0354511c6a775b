"""A Pi-hole: its Teleporter archive (zip of version 6, tar.gz of version 5), or its database alone."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sinkhole.errors import ForeignFileError
from sinkhole.feeds.row import RowError
from sinkhole.foreign.archive import read_tar, read_zip
from sinkhole.foreign.gravity import JSON_FILES, Row, Tables, read_database, read_json_tables
from sinkhole.foreign.hosts import numbered, read_hosts
from sinkhole.foreign.member import address_member, group_name, mac_member, name_member, unused_name
from sinkhole.foreign.model import Foreign, ForeignGroup, ForeignList, ForeignRule, Place, Scope
from sinkhole.foreign.pihole_rules import pihole_rule
from sinkhole.foreign.pihole_settings import add_cname, read_pihole_toml
from sinkhole.foreign.source import decoded, head_of, looks_like, read_octets, text_kind

_TOML: Final = "etc/pihole/pihole.toml"
_GRAVITY: Final = "etc/pihole/gravity.db"
_HOSTS: Final = "custom.list"
_CNAMES: Final = "05-pihole-custom-cname.conf"
_DEFAULT: Final = 0
"""Number of the group that clients with no settings of their own are in."""
_ALLOWING: Final = 1
"""Type of a list that allows."""
_NOT_CARRIED: Final = {
    "etc/pihole/pihole-FTL.db": "the history of queries and clients stays with Pi-hole",
    "etc/pihole/dhcp.leases": "leases stay with the DHCP server",
    "etc/hosts": "the hosts file of that machine; import it with: sinkhole import hosts FILE",
    "setupVars.conf": "settings of the server are in the configuration file here (docs/configuration.md)",
    "pihole-FTL.conf": "settings of the server are in the configuration file here (docs/configuration.md)",
}


def read_pihole(path: Path) -> Foreign:
    """Read what a Pi-hole says.

    Raises:
        ForeignFileError: the file is none of a Pi-hole, or broken.
    """
    head = head_of(path)
    into = Foreign("pihole")
    if head.startswith(b"SQLite format 3\0"):
        _expect_no_journal(path)
        _read_tables(read_database(path, path.name), into)
    elif head.startswith(b"PK\x03\x04"):
        _read_version_6(path, into)
    elif head.startswith(b"\x1f\x8b"):
        _read_version_5(path, into)
    else:
        wanted = "a Teleporter archive (zip or tar.gz) or a gravity.db"
        kind = looks_like(head) or _kind_of_text(path)
        raise ForeignFileError(f"{path}: wanted {wanted}; it looks like {kind}")
    return into


def _expect_no_journal(path: Path) -> None:
    """Refuse a database whose newest changes are still beside it: they would be missed."""
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and journal.stat().st_size:
        raise ForeignFileError(f"{path}: is in use ({journal.name} is beside it); export a Teleporter archive instead")


def _kind_of_text(path: Path) -> str:
    if path.suffix == ".enc":
        return "an encrypted archive; export it without a password"
    return text_kind(read_octets(path).decode("utf-8", "replace"))


def _read_version_6(path: Path, into: Foreign) -> None:
    found, others = read_zip(path, frozenset({_TOML, _GRAVITY}))
    if not found:
        raise ForeignFileError(f"{path}: is a zip archive, but not of a Teleporter: it has no {_GRAVITY}")
    if _GRAVITY in found:
        _read_tables(read_database(found[_GRAVITY], _GRAVITY), into)
    else:
        into.leave_out(Place(path.name), _GRAVITY, "is not in the archive, so there are no groups, lists and rules")
    if _TOML in found:
        read_pihole_toml(_toml(found[_TOML]), _TOML, into)
    _note_others(others, path, into)


def _read_version_5(path: Path, into: Foreign) -> None:
    found, others = read_tar(path, {name: name for name in (*JSON_FILES, _HOSTS, _CNAMES)})
    tables = {name: octets for name, octets in found.items() if name in JSON_FILES}
    if not tables:
        raise ForeignFileError(f"{path}: is a tar.gz archive, but not of a Teleporter: it has no adlist.json")
    _read_tables(read_json_tables(tables), into)
    if _HOSTS in found:
        read_hosts(numbered(decoded(found[_HOSTS], _HOSTS).splitlines(), _HOSTS), into)
    if _CNAMES in found:
        _read_cname_file(decoded(found[_CNAMES], _CNAMES), into)
    _note_others(others, path, into)


def _note_others(others: Iterable[str], path: Path, into: Foreign) -> None:
    for name in others:
        why = _NOT_CARRIED.get(name, _NOT_CARRIED.get(name.rpartition("/")[2], "is not read"))
        into.leave_out(Place(path.name), name, why)


def _toml(octets: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(decoded(octets, _TOML))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ForeignFileError(f"{_TOML}: is no TOML: {error}") from error


def _read_cname_file(text: str, into: Foreign) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        place = Place(_CNAMES, number)
        row = line.partition("#")[0].strip()
        if row.startswith("cname="):
            add_cname(row.removeprefix("cname="), place, into)
        elif row:
            into.leave_out(place, row, "is no cname=ALIAS,NAME")


def _read_tables(tables: Tables, into: Foreign) -> None:
    groups = _Groups(tables, into)
    for row in tables["adlist"]:
        _read_list(row, groups.scopes_of("adlist", row), into)
    for row in tables["domainlist"]:
        _read_rule(row, groups.scopes_of("domainlist", row), into)


class _Groups:
    """Which groups there are, who is in them, and which of them a row is for."""

    def __init__(self, tables: Tables, into: Foreign) -> None:
        self._into = into
        self._names: dict[int, Scope] = {_DEFAULT: None}
        self._of = {kind: _pairs(tables[f"{kind}_by_group"], f"{kind}_id") for kind in ("adlist", "domainlist")}
        self._clients = _pairs(tables["client_by_group"], "client_id")
        places = {}
        for row in tables["group"]:
            number = row.number("id")
            if not row.number("enabled", 1):
                self._names.pop(number, None)
                into.leave_out(row.place, row.text("name"), "the group is disabled, so nothing of it holds")
            elif number != _DEFAULT:
                self._names[number] = unused_name(group_name(row.text("name")), [*self._names.values()])
                places[number] = row.place
        self._fill(tables, places)

    def scopes_of(self, kind: str, row: Row) -> tuple[Scope, ...]:
        """Return for whom a list or a rule holds: its groups, as far as they are enabled."""
        numbers = self._of[kind].get(row.number("id"), ())
        return tuple(dict.fromkeys(self._names[number] for number in numbers if number in self._names))

    def _fill(self, tables: Tables, places: Mapping[int, Place]) -> None:
        members: dict[int, list[str]] = {number: [] for number in places}
        for row in tables["client"]:
            # A client that is in no group at all is as one in a group that has nothing.
            numbers = self._clients.get(row.number("id"), ())
            if set(numbers) == {_DEFAULT}:
                self._into.leave_out(row.place, row.text("ip"), "is in Default alone, so no group is needed for it")
                continue
            member = self._member(row)
            if member is None:
                continue
            for number in numbers:
                if number in members:
                    members[number].append(member)
            if _DEFAULT not in numbers:
                self._into.outside.append(member)
        for number, place in places.items():
            self._into.groups.append(ForeignGroup(str(self._names[number]), tuple(members[number]), place))

    def _member(self, row: Row) -> str | None:
        text = row.text("ip")
        if text.startswith(":"):
            self._into.leave_out(row.place, text, "a network interface; name the networks behind it instead")
            return None
        member = address_member(text) or mac_member(text) or name_member(text)
        if member is None:
            self._into.leave_out(row.place, text, "is no address, network, MAC address or name of a client")
            return None
        return next(iter(self._into.admit_members([member], row.place)), None)


def _pairs(rows: Iterable[Row], column: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.number(column, -1), []).append(row.number("group_id", -1))
    return found


def _read_list(row: Row, scopes: tuple[Scope, ...], into: Foreign) -> None:
    url = row.text("address").strip()
    if row.number("type") == _ALLOWING:
        into.leave_out(row.place, url, "a remote list that allows; a remote list can only block here")
    elif not scopes:
        into.leave_out(row.place, url, "is for no group, so it blocks nothing")
    else:
        comment = row.text("comment").strip() or None
        enabled = bool(row.number("enabled", 1))
        into.lists.append(ForeignList(url, scopes, row.place, reason=comment, is_enabled=enabled))


def _read_rule(row: Row, scopes: tuple[Scope, ...], into: Foreign) -> None:
    text = row.text("domain").strip()
    if not row.number("enabled", 1):
        into.leave_out(row.place, text, "is disabled")
    elif not scopes:
        into.leave_out(row.place, text, "is for no group, so it does nothing")
    else:
        try:
            rule = pihole_rule(row.number("type", -1), text)
        except RowError as error:
            into.leave_out(row.place, text, str(error))
            return
        into.rules.append(ForeignRule(rule, scopes, row.place, row.text("comment").strip() or None))
