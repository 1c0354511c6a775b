"""The check of `doctor` that looks at the block page: whether it is there, and whether clients are led to it."""

import socket
from collections.abc import Iterator

from sinkhole.app.data_dir import running_server
from sinkhole.app.finding import Grade
from sinkhole.app.page_authority import compare_authority
from sinkhole.app.page_listeners import HTTP, PagePlace, page_places
from sinkhole.blockpage.authority import read_authority
from sinkhole.config.schema import Settings, ca_folder

_WITHIN = 3.0
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - comparing, not binding


def block_page(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Look at the block page."""
    if not settings.block_page.enabled:
        yield Grade.GOOD, "it is off (block_page.enabled)"
        return
    yield from _is_led_there(settings)
    places = page_places(settings)
    if running_server(settings.server.data_dir):
        for place in places:
            yield _knock(place)
    yield from _authority(settings)


def _is_led_there(settings: Settings) -> Iterator[tuple[Grade, str]]:
    """Tell where blocked names do not lead to the page."""
    blocking = settings.blocking
    if not (blocking.ipv4 or blocking.ipv6):
        yield Grade.WARNING, "nobody is led to it: set blocking.ipv4 or blocking.ipv6 to its address"
    elif blocking.mode != "address":
        said = f"only coached names lead to it, since blocking.mode is {blocking.mode}"
        yield Grade.WARNING, said
    hosts = {place.address.host for place in page_places(settings)}
    for address in (blocking.ipv4, blocking.ipv6):
        wildcard = "::" if address and ":" in address else "0.0.0.0"  # noqa: S104
        if address is not None and not hosts & {address, wildcard}:
            yield Grade.WARNING, f"blocked names lead to {address}, and the page does not listen there"


def _knock(place: PagePlace) -> tuple[Grade, str]:
    """Ask a place for its page; over TLS only that somebody listens is looked at."""
    host = _WILDCARDS.get(place.address.host, place.address.host)
    where = f"{place.scheme}://{place.address}"
    if place.address.port == 0:
        return Grade.GOOD, f"{where}: the system chose its port"
    try:
        with socket.create_connection((host, place.address.port), _WITHIN) as sock:
            if place.scheme != HTTP:
                return Grade.GOOD, f"{where} is listened on"
            sock.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
            answer = sock.recv(4096)
    except OSError as error:
        return Grade.FAILURE, f"{where} does not answer: {error.strerror or error}"
    is_ours = b"\r\nserver: sinkhole\r\n" in answer.lower()
    return (Grade.GOOD, f"{where} answers") if is_ours else (Grade.FAILURE, f"{where} is answered by something else")


def _authority(settings: Settings) -> Iterator[tuple[Grade, str]]:
    authority = read_authority(ca_folder(settings))
    if authority is None:
        yield Grade.GOOD, "no authority: HTTPS is refused at once; sinkhole ca init makes one"
        return
    state = compare_authority(settings, authority)
    for line in state.lines():
        yield (Grade.FAILURE if state.is_over else Grade.WARNING), line
    if state.is_current:
        yield Grade.GOOD, f"the authority is good for all {len(authority.names)} names of the catalogue"
