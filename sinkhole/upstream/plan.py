"""Who is asked for what, read from the settings with every mistake at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinkhole.config.schema import UpstreamSettings
from sinkhole.errors import ConfigError, FormError
from sinkhole.protocol.names import name_from_text
from sinkhole.upstream.address import UpstreamAddress, parse_upstream
from sinkhole.upstream.own import is_own
from sinkhole.upstream.system import is_only_own, system_upstreams


@dataclass(frozen=True, slots=True)
class Plan:
    """The upstreams of everything, of zones (by folded name), and the resolvers that look up upstreams' names.

    Empty `bootstrap`: the system's resolvers.
    """

    servers: tuple[UpstreamAddress, ...]
    zones: tuple[tuple[bytes, tuple[UpstreamAddress, ...]], ...]
    bootstrap: tuple[UpstreamAddress, ...]


def read_plan(
    settings: UpstreamSettings,
    listen: Sequence[str],
    resolv_conf: Path,
    bootstrap: Sequence[UpstreamAddress] | None = None,
) -> Plan:
    """Read the settings.

    Args:
        settings: the upstreams.
        listen: our own listening addresses.
        resolv_conf: where the system's resolvers stand.
        bootstrap: used instead of those of the settings.

    Raises:
        ConfigError: an address or zone cannot be read, an upstream is ourselves, or nobody could look up its name.
    """
    mistakes: list[str] = []
    servers = _addresses(settings.servers, "upstream.servers", listen, mistakes)
    zones: dict[bytes, tuple[UpstreamAddress, ...]] = {}
    for index, zone in enumerate(settings.zones):
        where = f"upstream.zones[{index}]"
        try:
            name = name_from_text(zone.zone).lower()
        except FormError as error:
            mistakes.append(f"{where}.zone: wanted a domain name, found {zone.zone!r}: {error}")
            continue
        if name in zones:
            mistakes.append(f"{where}.zone: {zone.zone!r} is there twice")
        zones[name] = _addresses(zone.servers, f"{where}.servers", listen, mistakes)
    if bootstrap is None:
        bootstrap = _addresses(settings.bootstrap, "upstream.bootstrap", listen, mistakes)
    needing = [str(address) for group in (servers, *zones.values()) for address in group if not address.is_literal]
    if needing and not bootstrap and is_only_own(listen, resolv_conf):
        mistakes.append(
            f"upstream.bootstrap: wanted a resolver that looks up the name in {needing[0]}, "
            f"found none but this server in {resolv_conf}"
        )
    if not settings.servers:
        if is_only_own(listen, resolv_conf):
            mistakes.append(f"upstream.servers: wanted an upstream, found none but this server in {resolv_conf}")
        servers = system_upstreams(listen, resolv_conf)
    if mistakes:
        raise ConfigError(*mistakes)
    return Plan(servers, tuple(zones.items()), tuple(bootstrap))


def _addresses(
    texts: Iterable[str], where: str, listen: Sequence[str], mistakes: list[str]
) -> tuple[UpstreamAddress, ...]:
    addresses: list[UpstreamAddress] = []
    for index, text in enumerate(texts):
        try:
            address = parse_upstream(text, f"{where}[{index}]")
        except ConfigError as error:
            mistakes.extend(error.mistakes)
            continue
        if is_own(address, listen):
            mistakes.append(f"{where}[{index}]: {text} is where this server listens; queries would go in circles")
        elif address not in addresses:
            addresses.append(address)
    return tuple(addresses)
