"""Check what the schema cannot: addresses, upstreams and records are read by the parts that use them."""

from collections.abc import Callable, Iterable

from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, SinkholeError
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.rdata import records_from_text
from sinkhole.transport.addresses import parse_listen
from sinkhole.upstream.address import parse_upstream


def check_settings(settings: Settings) -> None:
    """Check every text that is an address, a name or a record.

    Raises:
        ConfigError: with every mistake and its path.
    """
    mistakes: list[str] = []

    def check(path: str, texts: Iterable[str], read: Callable[[str], object]) -> None:
        for index, text in enumerate(texts):
            try:
                read(text)
            except SinkholeError as error:
                mistakes.append(f"config: {path}[{index}]: {error}; found {text!r}")

    check("server.listen", settings.server.listen, parse_listen)
    check("upstream.servers", settings.upstream.servers, parse_upstream)
    for index, zone in enumerate(settings.upstream.zones):
        check(f"upstream.zones[{index}].zone", [zone.zone], name_from_text)
        check(f"upstream.zones[{index}].servers", zone.servers, parse_upstream)
    check("records", settings.records, records_from_text)
    if mistakes:
        raise ConfigError(*mistakes)
