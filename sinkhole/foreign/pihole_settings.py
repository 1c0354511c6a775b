"""The settings of a Pi-hole (pihole.toml): local records, and a word on what of the rest a migration must think of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sinkhole.errors import FormError
from sinkhole.foreign.hosts import numbered, read_hosts
from sinkhole.foreign.model import Foreign, ForeignRecord, Place
from sinkhole.foreign.names import checked_line

_ELSEWHERE: Final = "settings of the server are in the configuration file here (docs/configuration.md)"
_NAMED: Final = 12


def read_pihole_toml(settings: Mapping[str, Any], file: str, into: Foreign) -> None:
    """Take in the local records, and note the other settings."""
    dns = _table(settings, "dns")
    hosts = _texts(dns, "hosts", file, into)
    read_hosts(numbered(hosts, file, "dns.hosts"), into)
    for number, text in enumerate(_texts(dns, "cnameRecords", file, into), 1):
        add_cname(text, Place(file, None, f"dns.cnameRecords[{number}]"), into)
    for text in _texts(dns, "upstreams", file, into):
        into.leave_out(Place(file, None, "dns.upstreams"), text, "set it as one of upstream.servers")
    for text in _texts(dns, "revServers", file, into):
        into.leave_out(Place(file, None, "dns.revServers"), text, "set a zone of its own: [[upstream.zones]]")
    for text in _texts(_table(settings, "misc"), "dnsmasq_lines", file, into):
        into.leave_out(Place(file, None, "misc.dnsmasq_lines"), text, "a line for dnsmasq")
    _read_blocking(_table(dns, "blocking"), file, into)
    taken = {"hosts", "cnameRecords", "upstreams", "revServers", "blocking"}
    _note(file, "dns", [key for key in dns if key not in taken], into)
    for name in settings:
        if name != "dns":
            keys = [key for key in _table(settings, name) if (name, key) != ("misc", "dnsmasq_lines")]
            _note(file, name, keys, into)


def _read_blocking(blocking: Mapping[str, Any], file: str, into: Foreign) -> None:
    if blocking.get("active") is False:
        into.is_off = True
        into.alter(
            Place(file, None, "dns.blocking.active"), "false", "blocking is off there, so lists come in switched off"
        )
    mode = blocking.get("mode", "NULL")
    if mode != "NULL":
        into.leave_out(Place(file, None, "dns.blocking.mode"), mode, "set blocking.mode")


def _note(file: str, name: str, keys: Sequence[str], into: Foreign) -> None:
    if keys:
        more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
        into.leave_out(Place(file, None, name), f"{', '.join(keys[:_NAMED])}{more}", _ELSEWHERE)


def _table(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _texts(table: Mapping[str, Any], name: str, file: str, into: Foreign) -> list[str]:
    found = table.get(name, [])
    if not isinstance(found, list):
        into.leave_out(Place(file, None, name), found, "wanted a list")
        return []
    for one in found:
        if not isinstance(one, str):
            into.leave_out(Place(file, None, name), one, "wanted a text")
    return [one for one in found if isinstance(one, str)]


def add_cname(text: str, place: Place, into: Foreign) -> None:
    """Take in `ALIAS[,ALIAS…],NAME[,TTL]`."""
    words = [word.strip() for word in text.split(",")]
    if len(words) > 2 and words[-1].isdigit():
        words.pop()
    if len(words) < 2 or not all(words):
        into.leave_out(place, text, "wanted ALIAS,NAME")
        return
    *aliases, target = words
    for alias in aliases:
        try:
            into.records.append(ForeignRecord(checked_line(f"{alias} CNAME {target}"), place))
        except FormError as error:
            into.leave_out(place, text, str(error))
