"""All formats of text, and which of them a log is in."""

from collections.abc import Sequence
from typing import Final

from sinkhole.errors import LogError, LogFormatError
from sinkhole.logs.clock import Clock
from sinkhole.logs.formats.adguard import ADGUARD
from sinkhole.logs.formats.bind import BIND
from sinkhole.logs.formats.cloudflare import CLOUDFLARE
from sinkhole.logs.formats.dnsdist import DNSDIST
from sinkhole.logs.formats.dnsmasq import DNSMASQ
from sinkhole.logs.formats.nextdns import NEXTDNS
from sinkhole.logs.formats.powerdns import POWERDNS
from sinkhole.logs.formats.squid import SQUID
from sinkhole.logs.formats.umbrella import UMBRELLA
from sinkhole.logs.formats.unbound import UNBOUND
from sinkhole.logs.formats.windows_dns import WINDOWS_DNS
from sinkhole.logs.formats.zeek import ZEEK
from sinkhole.logs.formats.zscaler import ZSCALER
from sinkhole.logs.query import LogFormat

TEXT_FORMATS: Final = (
    DNSMASQ, UNBOUND, BIND, POWERDNS, DNSDIST, WINDOWS_DNS, ADGUARD, ZEEK, UMBRELLA, CLOUDFLARE, ZSCALER, NEXTDNS,
    SQUID,
)  # fmt: skip
"""In the order in which the first of equals is taken."""
_LOOKED_AT: Final = 5000
"""Lines at the beginning of a log."""
_ENOUGH: Final = 200
"""Queries after which no more lines are tried."""
_SHOWN: Final = 80


def detect(lines: Sequence[str], clock: Clock, name: str) -> LogFormat:
    """Return the format in which most of the first lines are queries.

    Raises:
        LogError: no format finds one, or more lines cannot be read than are queries.
    """
    tried = [line.rstrip("\r") for line in lines[:_LOOKED_AT] if line.strip()]
    found = max(TEXT_FORMATS, key=lambda one: _score(one, tried, clock))
    if _score(found, tried, clock) > 0:
        return found
    first = next((line for line in tried if line[:1] != "#"), "")
    names = ", ".join(one.name for one in TEXT_FORMATS)
    raise LogError(
        f"{name}: no format finds queries in it; its first line is {first[:_SHOWN]!r}; "
        f"if it is one of {names}, say so with --format"
    )


def format_of(name: str) -> LogFormat | None:
    """Return the format of text that is called so."""
    return next((one for one in TEXT_FORMATS if one.name == name), None)


def _score(log_format: LogFormat, lines: Sequence[str], clock: Clock) -> int:
    """Return how many lines are queries; 0 where fewer are than cannot be read."""
    read = log_format.open(Clock(clock.zone, clock.written))
    queries = unreadable = 0
    for line in lines:
        try:
            queries += read(line) is not None
        except LogFormatError:
            unreadable += line[:1] != "#"
        if queries >= _ENOUGH:
            break
        if unreadable > _ENOUGH and not queries:
            return 0
    return queries if queries >= unreadable else 0
