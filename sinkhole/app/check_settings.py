"""Check what the schema cannot: addresses, upstreams and records are read by the parts that use them."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from sinkhole.app.check_listen import collisions
from sinkhole.app.own_suffixes import suffix_mistake
from sinkhole.app.webhook_hosts import destination_mistake
from sinkhole.config.out_schema import OutSettings
from sinkhole.config.schema import AdminSettings, Settings
from sinkhole.errors import ConfigError, OutError, SinkholeError
from sinkhole.out.target import mistakes_of as mistakes_of_out
from sinkhole.out.target import webhook_url
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.rdata import records_from_text
from sinkhole.transport.addresses import parse_listen
from sinkhole.upstream.plan import read_plan
from sinkhole.upstream.system import RESOLV_CONF

_SHORTEST_PREFIX = 8
"""Of networks that can be somebody's own: 10.0.0.0/8, fd00::/8."""


def mistakes_of(settings: Settings) -> list[str]:
    """Return what is wrong with texts that are addresses, names or records, each with its path."""
    mistakes = list(_each("server.listen", settings.server.listen, parse_listen))
    listen = () if mistakes else settings.server.listen
    mistakes += _page_mistakes(settings)
    mistakes += _each("records", settings.records, records_from_text)
    mistakes += _each("rebinding.allow", settings.rebinding.allow, name_from_text)
    for index, text in enumerate(settings.policy.search_suffixes):
        if mistake := suffix_mistake(text):
            mistakes.append(f"policy.search_suffixes[{index}]: {mistake}")
    mistakes += _admin_mistakes(settings.admin)
    try:
        read_plan(settings.upstream, listen, RESOLV_CONF)
    except ConfigError as error:
        mistakes += error.mistakes
    mistakes += _each("metrics.listen", settings.metrics.listen, parse_listen)
    mistakes += mistakes_of_out(settings.out, settings.mail, settings.report_mail)
    mistakes += _webhook_mistakes(settings.out)
    mistakes += collisions(settings)
    return [f"config: {mistake}" for mistake in mistakes]


def _page_mistakes(settings: Settings) -> Iterable[str]:
    page, blocking = settings.block_page, settings.blocking
    yield from _each("block_page.http", page.http, parse_listen)
    yield from _each("block_page.https", page.https, parse_listen)
    if page.enabled and not page.http and not (blocking.ipv4 or blocking.ipv6):
        yield "block_page.http: give an address, or set blocking.ipv4 or blocking.ipv6, at which it is then"


def _admin_mistakes(admin: AdminSettings) -> Iterable[str]:
    mistakes = list(_each("admin.listen", admin.listen, parse_listen))
    yield from mistakes
    if (admin.certificate is None) is not (admin.key is None):
        missing = "certificate" if admin.certificate is None else "key"
        yield f"admin.{missing}: is missing: TLS takes a certificate and its key"
    yield from _proxy_mistakes(admin.trusted_proxies)
    is_safe = admin.certificate is not None or admin.trusted_proxies or admin.plain_http or not admin.enabled
    for index, text in enumerate(() if mistakes or is_safe else admin.listen):
        if not parse_listen(text).is_loopback:
            yield (
                f"admin.listen[{index}]: others can reach {text}, so it takes a certificate, or trusted_proxies "
                "in front of it; or plain_http = true, with which passwords can be read on the way"
            )


def _proxy_mistakes(proxies: Sequence[str]) -> Iterable[str]:
    for index, text in enumerate(proxies):
        network = ipaddress.ip_network(text)
        if network.prefixlen < _SHORTEST_PREFIX:
            yield (
                f"admin.trusted_proxies[{index}]: wanted the addresses of your proxies; anybody in {text} could say "
                "to be anybody else, and be kept from no guess"
            )


def _webhook_mistakes(outs: Sequence[OutSettings]) -> Iterable[str]:
    """Yield webhooks at an address that is never connected to; of a name that is seen when it is looked up."""
    for index, out in enumerate(outs):
        host = (urlsplit(out.target).hostname or "") if out.kind == "webhook" and _is_webhook(out) else ""
        if mistake := destination_mistake(host, allow_private=out.allow_private):
            yield f"out[{index}].target ({out.name}): {mistake}"


def _is_webhook(out: OutSettings) -> bool:
    try:
        webhook_url(out.target, allow_private=out.allow_private)
    except OutError:  # told by itself
        return False
    return True


def _each(path: str, texts: Iterable[str], read: Callable[[str], object]) -> Iterable[str]:
    for index, text in enumerate(texts):
        try:
            read(text)
        except SinkholeError as error:
            yield f"{path}[{index}]: {error}"
