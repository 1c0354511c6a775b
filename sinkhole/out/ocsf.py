"""Events in the Open Cybersecurity Schema Framework: hits as DNS Activity (4003), alerts as Detection Finding (2004).

There is no class for a change of a resolver's policy, so audit entries do not go out in this form.
"""

import ipaddress
import json
from typing import Any

from sinkhole import __version__
from sinkhole.errors import OutError
from sinkhole.noted import Alert
from sinkhole.out.event import Event, HitEvent, name_of
from sinkhole.out.severity import Severity, severity_of, title_of
from sinkhole.protocol.types import qtype_to_text

SCHEMA = "1.3.0"
_DNS_ACTIVITY, _NETWORK, _TRAFFIC = 4003, 4, 6
_DETECTION_FINDING, _FINDINGS, _CREATE = 2004, 2, 1
_SEVERITY = {Severity.TOLD: (1, "Informational"), Severity.STOPPED: (2, "Low"), Severity.LOOK: (3, "Medium")}
_DONE = {"allow": (1, "Allowed", 1, "Allowed"), "monitor": (1, "Allowed", 17, "Logged"),
         "coach": (2, "Denied", 2, "Blocked"), "block": (2, "Denied", 2, "Blocked")}  # fmt: skip
"""Action and disposition of the profile `security_control`."""


def to_ocsf(event: Event) -> str:
    """Return one line of ASCII JSON.

    Raises:
        OutError: of an audit entry.
    """
    return json.dumps(to_object(event), separators=(",", ":"))


def to_object(event: Event) -> dict[str, Any]:
    """Return the attributes of an event; raises as `to_ocsf`."""
    match event:
        case HitEvent():
            return _head(event, _DNS_ACTIVITY, _NETWORK, _TRAFFIC, "Traffic", "DNS Activity") | _hit(event)
        case Alert():
            return _head(event, _DETECTION_FINDING, _FINDINGS, _CREATE, "Create", "Detection Finding") | _alert(event)
        case _:
            raise OutError("the audit log has no class in OCSF; send it as json, text or cef")


def _head(event: Event, uid: int, category: int, activity: int, name: str, caption: str) -> dict[str, Any]:
    severity, word = _SEVERITY[severity_of(event)]
    profiles = ["security_control"] if isinstance(event, HitEvent) else []
    return {
        "category_uid": category, "class_uid": uid, "class_name": caption, "activity_id": activity,
        "activity_name": name, "type_uid": uid * 100 + activity, "severity_id": severity, "severity": word,
        "time": event.at * 1000,
        "metadata": {
            "version": SCHEMA, "uid": name_of(event), "profiles": profiles,
            "product": {"name": "Sinkhole", "vendor_name": "Sinkhole", "version": __version__},
        },
    }  # fmt: skip


def _hit(event: HitEvent) -> dict[str, Any]:
    hit = event.hit
    action_id, action, disposition_id, disposition = _DONE.get(hit.action, (99, hit.action, 99, hit.action))
    rule = {"name": hit.subject} if hit.subject else None
    unmapped = {
        key: value
        for key, value in (("vendor", hit.vendor), ("product", hit.product), ("feed", hit.feed), ("group", hit.group))
        if value
    }
    return {
        "message": f"{title_of(event)}: {hit.name}",
        "action_id": action_id, "action": action, "disposition_id": disposition_id, "disposition": disposition,
        "query": {"hostname": hit.name, "type": qtype_to_text(hit.qtype), "class": "IN"},
        "query_time": hit.first * 1000, "start_time": hit.first * 1000, "end_time": hit.last * 1000,
        "count": hit.count, "src_endpoint": _endpoint(hit.client), "dst_endpoint": {"svc_name": "dns"},
        **({"firewall_rule": rule} if rule else {}), **({"unmapped": unmapped} if unmapped else {}),
    }  # fmt: skip


def _endpoint(client: str) -> dict[str, str]:
    """Tell who asked; where clients are not told, that."""
    try:
        ipaddress.ip_address(client)
    except ValueError:
        return {"uid": client} if client else {"name": "not told"}
    return {"ip": client}


def _alert(event: Alert) -> dict[str, Any]:
    return {
        "message": event.text, "status_id": 1, "status": "New", "is_alert": True,
        "finding_info": {
            "uid": name_of(event), "title": title_of(event), "desc": event.text, "created_time": event.at * 1000,
            "types": [event.kind],
        },
        "unmapped": {"cause": event.cause, **event.facts},
    }  # fmt: skip
