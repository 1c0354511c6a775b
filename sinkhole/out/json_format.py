"""Events as JSON, one object each: our own words, stable, only ever added to (docs/out.md has the fields)."""

import json
from typing import Any

from sinkhole.noted import Alert, AuditEntry
from sinkhole.out.event import Event, HitEvent, name_of, what_of
from sinkhole.out.words import utc_text
from sinkhole.protocol.types import qtype_to_text

VERSION = 1
"""Of these fields; raised where one is taken away or means something else."""


def to_json(event: Event) -> str:
    """Return one line of ASCII; names from the network are escaped as JSON says (RFC 8259, section 7)."""
    return json.dumps(to_object(event), separators=(",", ":"))


def to_object(event: Event) -> dict[str, Any]:
    """Return the fields of an event; those without a value are null."""
    head = {"v": VERSION, "event": what_of(event), "uid": name_of(event), "time": utc_text(event.at)}
    match event:
        case HitEvent():
            return head | _hit(event)
        case Alert():
            return head | {"kind": event.kind, "cause": event.cause, "text": event.text, "facts": dict(event.facts)}
        case AuditEntry():
            return head | {
                "who": event.who, "origin": event.origin, "what": event.what,
                "before": _value(event.before), "after": _value(event.after), "digest": event.digest,
            }  # fmt: skip


def _hit(event: HitEvent) -> dict[str, Any]:
    hit = event.hit
    return {
        "action": hit.action, "client": hit.client or None, "group": hit.group, "name": hit.name,
        "qtype": qtype_to_text(hit.qtype), "vendor": hit.vendor, "product": hit.product, "feed": hit.feed,
        "subject": hit.subject, "count": hit.count, "first": utc_text(hit.first), "last": utc_text(hit.last),
    }  # fmt: skip


def _value(text: str | None) -> Any:
    """Return a value of the audit log as JSON holds it; as text where it is none."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
