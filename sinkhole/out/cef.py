"""Events in the Common Event Format (ArcSight CEF, version 0 of the header, keys of its extension dictionary).

In the header `|` and `\\` are escaped, in values of the extension `=`, `\\` and line breaks; all other control
characters become visible first, since the format says nothing of them.
"""

import ipaddress
import re
from collections.abc import Iterator

from sinkhole import __version__
from sinkhole.noted import Alert, AuditEntry
from sinkhole.out.event import Event, HitEvent, name_of, what_of
from sinkhole.out.severity import Severity, severity_of, title_of
from sinkhole.out.words import visible
from sinkhole.protocol.types import qtype_to_text

_SEVERITY = {Severity.TOLD: 1, Severity.STOPPED: 4, Severity.CHANGED: 3, Severity.LOOK: 7}
"""0 to 3 is low, 4 to 6 medium, 7 and 8 high."""
_LONGEST = 1023
"""Characters of a value: the dictionary's limit for those used here, the message apart."""

_Pairs = Iterator[tuple[str, str | int | None]]


def to_cef(event: Event) -> str:
    """Return one line."""
    head = ("Sinkhole", "Sinkhole", __version__, _signature(event), title_of(event), str(_SEVERITY[severity_of(event)]))
    extension = " ".join(f"{key}={_value(value)}" for key, value in _pairs(event) if value not in (None, ""))
    return f"CEF:0|{'|'.join(map(_header, head))}|{extension}"


def _signature(event: Event) -> str:
    match event:
        case HitEvent():
            return f"dns-{event.hit.action}"
        case Alert():
            return f"alert-{event.kind}"
        case _:
            return "audit"


def _pairs(event: Event) -> _Pairs:
    yield "externalId", name_of(event)
    yield "cat", what_of(event)
    yield "rt", event.at * 1000
    match event:
        case HitEvent():
            yield from _hit(event)
        case Alert():
            yield "msg", event.text
            yield from _custom(cause=event.cause, facts=" ".join(f"{k}:{v}" for k, v in event.facts.items()))
        case AuditEntry():
            yield "suser", event.who
            yield "msg", event.what
            yield from _custom(origin=event.origin, before=event.before, after=event.after, digest=event.digest)


def _hit(event: HitEvent) -> _Pairs:
    hit = event.hit
    yield "start", hit.first * 1000
    yield "end", hit.last * 1000
    yield "cnt", hit.count
    yield "act", hit.action
    yield "app", "DNS"
    yield "dhost", hit.name
    yield from _client(hit.client)
    yield from _custom(
        vendor=hit.vendor, product=hit.product, group=hit.group, subject=hit.subject, feed=hit.feed,
        qtype=qtype_to_text(hit.qtype),
    )  # fmt: skip


def _client(client: str) -> _Pairs:
    """Tell who asked: `src` holds IPv4 addresses only; a pseudonym is no address."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        yield "shost", client
        return
    if address.version == 4:
        yield "src", client
    else:
        yield "c6a2", client
        yield "c6a2Label", "Source IPv6 Address"


def _custom(**values: str | None) -> _Pairs:
    """Number own fields, each always the same place, with a label that says what it is."""
    for number, (label, value) in enumerate(values.items(), start=1):
        if value:
            yield f"cs{number}", value
            yield f"cs{number}Label", label


def _header(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(value: str | int | None) -> str:
    lines = re.split("\r\n|\r|\n", str(value)[:_LONGEST])
    return "\\n".join(visible(line).replace("\\", "\\\\").replace("=", "\\=") for line in lines)
