"""Find listeners of the settings that want the same port: told before anything is bound, all at once."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sinkhole.app.page_listeners import HTTP, page_places
from sinkhole.config.schema import Settings
from sinkhole.errors import ListenError
from sinkhole.transport.addresses import ListenAddress, parse_listen


@dataclass(frozen=True, slots=True)
class _Listener:
    """Who listens where: the path of the setting, and the part of the server it is for."""

    path: str
    part: str
    address: ListenAddress


def collisions(settings: Settings) -> Iterator[str]:
    """Yield each setting whose address another one has taken already, with both paths.

    0.0.0.0 takes the port of every IPv4 address and [::] that of every IPv6 address, but neither that of the other
    family. Addresses of DNS may be within each other: all of its sockets share ports, and the narrower one is asked.
    """
    listeners = list(_listeners(settings))
    for index, one in enumerate(listeners):
        for other in listeners[:index]:
            if _collide(one, other):
                taken = "" if one.address == other.address else f", as {other.address}"
                yield f"{one.path}: {one.address} is taken already by {other.path}{taken}"
                break


def _listeners(settings: Settings) -> Iterator[_Listener]:
    yield from _of("server.listen", "dns", settings.server.listen)
    if settings.admin.enabled:
        yield from _of("admin.listen", "admin", settings.admin.listen)
    yield from _of("metrics.listen", "metrics", settings.metrics.listen)
    try:
        places = page_places(settings)
    except ListenError:  # told by itself
        return
    for place in places:
        given = settings.block_page.http if place.scheme == HTTP else settings.block_page.https
        path = f"block_page.{place.scheme}"
        if not given:
            path = f"blocking.ipv{6 if ':' in place.address.host else 4} (for {path})"
        yield _Listener(path, "page", place.address)


def _of(path: str, part: str, texts: Iterable[str]) -> Iterator[_Listener]:
    for index, text in enumerate(texts):
        try:
            yield _Listener(f"{path}[{index}]", part, parse_listen(text))
        except ListenError:  # told by itself
            continue


def _collide(one: _Listener, other: _Listener) -> bool:
    here, there = one.address, other.address
    if here.port != there.port or here.port == 0 or here.family != there.family:
        return False
    is_shared = one.part == other.part == "dns"
    return here.host == there.host or (not is_shared and (_is_any(here) or _is_any(there)))


def _is_any(address: ListenAddress) -> bool:
    return ipaddress.ip_address(address.host).is_unspecified
