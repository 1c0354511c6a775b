"""An AdGuard Home: its configuration, AdGuardHome.yaml."""

from pathlib import Path
from typing import Final

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.adguard_clients import Services, block_services, read_clients, read_services
from sinkhole.foreign.adguard_rules import read_rewrites, read_user_rules
from sinkhole.foreign.model import Foreign, ForeignList
from sinkhole.foreign.source import read_text, text_kind
from sinkhole.foreign.yaml_section import Section, root_section
from sinkhole.foreign.yaml_tree import read_yaml

_ELSEWHERE: Final = "settings of the server are in the configuration file here (docs/configuration.md)"
_GUARDS: Final = ("parental_enabled", "safebrowsing_enabled")


def read_adguard(path: Path) -> Foreign:
    """Read what an AdGuardHome.yaml says.

    Raises:
        ForeignFileError: the file is none, or broken.
    """
    text = read_text(path, "an AdGuardHome.yaml")
    root = root_section(read_yaml(text, path.name), path.name)
    if not {"filters", "user_rules", "dns"} & set(root.names()) or "blocking" in root.names():
        raise ForeignFileError(f"{path}: wanted an AdGuardHome.yaml; it looks like {text_kind(text)}")
    into = Foreign("adguard")
    _Reading(root, into).read()
    return into


class _Reading:
    """The reading of one configuration; older versions keep some of it elsewhere."""

    def __init__(self, root: Section, into: Foreign) -> None:
        self._root = root
        self._into = into
        self._dns = root.section("dns")
        self._filtering = root.section("filtering")

    def read(self) -> None:
        """Take all of it in."""
        root, into = self._root, self._into
        self._read_switches()
        everywhere = self._services()
        block_services(everywhere, None, into)
        clients = read_clients(self._clients(), everywhere, into)
        self._read_lists()
        read_user_rules(root.texts("user_rules"), clients, into)
        for section in (self._filtering, self._dns):
            read_rewrites(list(section.sections("rewrites")), into)
        self._read_upstreams()
        for section in (self._filtering, self._dns):
            section.note_unused(into, _ELSEWHERE)
        root.text("schema_version")
        root.note_unused(into, "is not carried over: settings of the server are in the configuration file here")

    def _read_switches(self) -> None:
        for section in (self._filtering, self._dns):
            for key in ("protection_enabled", "filtering_enabled"):
                if not section.flag(key, True):
                    self._into.is_off = True
                    said = "filtering is off there, so lists come in switched off"
                    self._into.alter(section.place_of(key), "false", said)
            for key in _GUARDS:
                if section.flag(key, False):
                    self._into.leave_out(section.place_of(key), key, "there is no such guard here")
            search = section.section("safe_search")
            if search.flag("enabled", False):
                self._into.leave_out(search.place, "safe_search", "search engines are not rewritten here")
            mode = section.text("blocking_mode", "default")
            if mode not in ("default", "null_ip"):
                self._into.leave_out(section.place_of("blocking_mode"), mode, "set blocking.mode")

    def _services(self) -> Services:
        for section in (self._filtering, self._dns):
            if section.is_list("blocked_services"):
                return Services(tuple(section.texts("blocked_services")))
            if "blocked_services" in section.names():
                return read_services(section.section("blocked_services"), self._into)
        return Services()

    def _clients(self) -> list[Section]:
        if self._root.is_list("clients"):  # as older versions write it
            return list(self._root.sections("clients"))
        clients = self._root.section("clients")
        found = list(clients.sections("persistent"))
        clients.section("runtime_sources")
        clients.note_unused(self._into, _ELSEWHERE)
        return found

    def _read_lists(self) -> None:
        for section in self._root.sections("filters"):
            url, name = section.text("url").strip(), section.text("name").strip()
            enabled = section.flag("enabled", True)
            self._into.lists.append(
                ForeignList(url, (None,), section.place, hint=name, reason=name or None, is_enabled=enabled)
            )
        for section in self._root.sections("whitelist_filters"):
            why = "a remote list that allows; a remote list can only block here"
            self._into.leave_out(section.place, section.text("url").strip(), why)

    def _read_upstreams(self) -> None:
        said = {
            "upstream_dns": "set it as one of upstream.servers",
            "fallback_dns": "set it as one of upstream.servers",
            "bootstrap_dns": "set it as one of upstream.bootstrap",
            "local_ptr_upstreams": "set the reverse zones: [[upstream.zones]]",
            "allowed_clients": "set access.allow",
            "disallowed_clients": "set access.allow to all others",
        }
        for key, why in said.items():
            for text, place in self._dns.texts(key):
                if text and not text.startswith("#"):
                    zone = "set a zone of its own: [[upstream.zones]]" if text.startswith("[/") else why
                    self._into.leave_out(place, text, zone)
