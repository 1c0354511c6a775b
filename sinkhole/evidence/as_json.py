"""A report as values for JSON; times are ISO 8601 in UTC."""

from typing import Any

from sinkhole.evidence.model import Evidence, Line, Span, Tried
from sinkhole.evidence.words import utc_day, utc_time


def to_json(evidence: Evidence) -> dict[str, Any]:
    """Return all that a report says."""
    found: dict[str, Any] = {
        "title": evidence.title, "made": utc_time(evidence.made), "since": _time(evidence.since),
        "until": _time(evidence.until), "basis": evidence.basis,
        "clients": None if evidence.total is None else evidence.total.clients, "clients_seen": evidence.seen,
        "total": _tried(evidence.total), "floor": evidence.floor, "by": evidence.by.value,
        "vendors": [_line(line, evidence) for line in evidence.vendors],
        "parts": [{evidence.by.value: line.part, **_line(line, evidence)} for line in evidence.parts],
        "new": [line.vendor for line in evidence.vendors if line.is_new],
        "trend": {"step": evidence.step, "buckets": [
            {"from": utc_day(one.start), "clients": one.clients, "withheld": one.is_withheld,
             "attempts": None if one.is_withheld else one.total,
             "by_vendor": {vendor: count for vendor, count in one.attempts.items() if vendor}}
            for one in evidence.trend
        ]},
        "sources": [{"source": one.name, "kind": one.kind, "read": one.said} for one in evidence.sources],
        "notes": list(evidence.notes),
    }  # fmt: skip
    if evidence.around is not None:
        around = evidence.around
        found["around"] = {"at": utc_time(around.at), "seconds": around.seconds, "what": around.what}
    return found


def _line(line: Line, evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {"vendor": line.vendor, "name": line.name, "in": line.jurisdiction}
    found |= _tried(line.tried) or _NOTHING
    found["new"] = line.is_new
    if line.merged:
        found["merged"] = line.merged
    if evidence.around is not None:
        found |= {"before": _span(line.before), "after": _span(line.after)}
    return found


def _tried(tried: Tried | None) -> dict[str, Any] | None:
    if tried is None:
        return None
    return {
        "clients": tried.clients, "attempts": tried.attempts, "queries": tried.queries, "blocked": tried.blocked,
        "coached": tried.coached, "allowed": tried.allowed, "refused": tried.refused, "first": _time(tried.first),
        "last": _time(tried.last),
    }  # fmt: skip


_NOTHING = dict.fromkeys(
    ("clients", "attempts", "queries", "blocked", "coached", "allowed", "refused", "first", "last")
)  # fmt: skip


def _span(span: Span | None) -> dict[str, int | None] | None:
    return None if span is None else {"clients": span.clients, "attempts": span.attempts}


def _time(at: float | None) -> str | None:
    return None if at is None else utc_time(at)
