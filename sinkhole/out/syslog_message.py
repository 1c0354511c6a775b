"""Events as syslog messages (RFC 5424), with what is known as structured data and, for people, a sentence.

In a PARAM-VALUE `"`, `\\` and `]` are escaped (section 6.3.3); control characters of the network become visible before,
so that no message holds a line break, whatever cuts it into lines (section 6.4).
"""

import os
import re
import socket

from sinkhole.config.out_schema import Format
from sinkhole.noted import Alert, AuditEntry
from sinkhole.out.cef import to_cef
from sinkhole.out.event import Event, HitEvent, name_of, what_of
from sinkhole.out.json_format import to_json
from sinkhole.out.ocsf import to_ocsf
from sinkhole.out.severity import Severity, severity_of, title_of
from sinkhole.out.words import utc_text, visible
from sinkhole.protocol.types import qtype_to_text

_FACILITY = 16
"""local0: what is for the site to use (section 6.2.1)."""
_SEVERITY = {Severity.TOLD: 6, Severity.STOPPED: 5, Severity.CHANGED: 5, Severity.LOOK: 4}
"""Informational, notice, warning."""
_SD_ID = "sinkhole@32473"
"""32473 is the number for documentation (RFC 5612): this project has none of its own."""
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_NOT_GRAPHIC = re.compile(r"[^\x21-\x7e]")
_LONGEST_VALUE = 2000


def to_syslog(event: Event, form: Format, host: str | None = None) -> bytes:
    """Return one message, without a frame.

    Args:
        form: of what stands behind the header; `text` has structured data and a sentence.
        host: name of this machine; None: as it says.
    """
    name = _NOT_GRAPHIC.sub("-", host or socket.gethostname())[:255] or "-"
    priority = _FACILITY * 8 + _SEVERITY[severity_of(event)]
    head = f"<{priority}>1 {utc_text(event.at)} {name} sinkhole {os.getpid()} {what_of(event)}"
    return f"{head} {_body(event, form)}".encode("utf-8", "backslashreplace")


def _body(event: Event, form: Format) -> str:
    match form:
        case "json":
            return f"- {to_json(event)}"
        case "cef":
            return f"- {to_cef(event)}"
        case "ocsf":
            return f"- {to_ocsf(event)}"
        case "text":
            sentence = visible(_sentence(event))
            # UTF-8 must begin with the mark (section 6.4); of ASCII it is left out, since many show it as a letter.
            return f"{_structured(event)} {'' if sentence.isascii() else _BOM}{sentence}"


def _structured(event: Event) -> str:
    pairs = " ".join(
        f'{key}="{_escape(str(value))}"' for key, value in _params(event).items() if value not in (None, "")
    )
    return f"[{_SD_ID} {pairs}]"


def _params(event: Event) -> dict[str, str | int | None]:
    match event:
        case HitEvent():
            hit = event.hit
            return {
                "uid": name_of(event), "action": hit.action, "client": hit.client, "group": hit.group, "name": hit.name,
                "qtype": qtype_to_text(hit.qtype), "vendor": hit.vendor, "product": hit.product, "feed": hit.feed,
                "subject": hit.subject, "count": hit.count, "first": utc_text(hit.first),
            }  # fmt: skip
        case Alert():
            return {"uid": name_of(event), "kind": event.kind, "cause": event.cause}
        case AuditEntry():
            return {
                "uid": name_of(event), "who": event.who, "origin": event.origin, "what": event.what,
                "before": event.before, "after": event.after, "digest": event.digest,
            }  # fmt: skip


def _sentence(event: Event) -> str:
    match event:
        case HitEvent():
            times = f", {event.hit.count} times" if event.hit.count > 1 else ""
            return f"{title_of(event)}: {event.hit.name} by {event.hit.client or 'a client'}{times}"
        case Alert():
            return event.text
        case AuditEntry():
            return f"{event.who}: {event.what}"


def _escape(text: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", visible(text[:_LONGEST_VALUE]))
