"""The audit log: who changed what, from where, before and after; and whether the log is whole."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from sinkhole.app.state import State
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.web.api.audit import AuditQuery, EntryPlace, list_entries, show_entry, verify_chain
from sinkhole.web.model import Nothing, Paged, Word
from sinkhole.web.pages.fields import aware
from sinkhole.web.pages.route import View
from sinkhole.web.problem import RequestError

_LONGEST, _BRIEF = 2000, 160
"""Characters of one value that are shown, and of a whole change in the list."""
_TOLD = ("reason", "owner", "ticket", "expires", "members", "url", "scopes", "why", "note", "role")
"""What the list tells of something that was made or removed: its title says the rest."""
_TIMES = ("begins", "ends", "expires", "created", "decided", "at", "changed", "fetched_at", "changed_at", "next_due")
_A_TIME = 10**9
_UTC = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\+00:00$")
_ACTIONS, _KINDS = frozenset(Action), frozenset(SubjectKind)


@dataclass(frozen=True, slots=True)
class Difference:
    """A key of what was changed: how it was and how it is; None where it is not there."""

    key: str
    before: str | None
    after: str | None

    @property
    def is_changed(self) -> bool:
        """Whether they differ."""
        return self.before != self.after


class LogAsked(Paged):
    """Which entries; `since` is a day or a time in UTC."""

    text: Word | None = None
    since: Word | None = None


def log_page(state: State, query: LogAsked) -> View:
    """List changes, the newest first."""
    try:
        wanted = AuditQuery.model_validate({
            "limit": query.limit, "cursor": query.cursor, "text": query.text,
            "since": None if query.since is None else aware(query.since),
        })  # fmt: skip
    except ValidationError:
        raise RequestError(400, "since: wanted a day such as 2030-12-31, or a time") from None
    found = list_entries(state, wanted)
    return View("audit.html", {
        "asked": query, "found": found, "briefs": {one.id: brief(one.before, one.after) for one in found.items},
    })  # fmt: skip


def entry_page(state: State, place: EntryPlace) -> View:
    """Show one change."""
    one = show_entry(state, place)
    return View(
        "audit_entry.html",
        {
            "one": one,
            "is_edit": one.before is not None and one.after is not None,
            "rows": [row for row in differences(one.before, one.after) if row.before or row.after],
        },
    )


def chain_page(state: State) -> View:
    """Go through the whole log, and tell whether it is whole."""
    return View("audit_chain.html", {"chain": verify_chain(state, Nothing())})


def differences(before: Any, after: Any) -> list[Difference]:
    """Return a change key by key; of values that are no objects there is one row."""
    old, new = _keys(before), _keys(after)
    return [Difference(key, _words(old, key), _words(new, key)) for key in dict.fromkeys((*old, *new))]


def brief(before: Any, after: Any) -> str:
    """Return in a line what a change did, as far as it fits: of what was made or removed, why."""
    rows = [row for row in differences(before, after) if row.is_changed and (row.before or row.after)]
    if before is None or after is None:
        told = [f"{row.key}: {row.after or row.before}" for row in rows if row.key in _TOLD]
    else:
        told = [f"{row.key}: {row.before or 'none'} → {row.after or 'none'}".removeprefix(": ") for row in rows]
    text = ", ".join(told)
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


def _keys(value: Any) -> dict[str, Any]:
    return {} if value is None else value if isinstance(value, dict) else {"": value}


def _words(values: dict[str, Any], key: str) -> str | None:
    text = _in_words(key, values.get(key))
    return text if text is None or len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _in_words(key: str, value: Any) -> str | None:
    """Return a value as people say it; the log has numbers for actions, kinds of subject and times."""
    match value:
        case None:
            return None
        case str():
            return _UTC.sub(r"\1 \2 UTC", value)
        case {"kind": int() as kind, "value": str() as name} if kind in _KINDS and len(value) == 2:
            return str(Subject(SubjectKind(kind), name))
        case bool():
            return "yes" if value else "no"
        case int() if key in ("action", "expect") and value in _ACTIONS:
            return str(Action(value))
        case int() if value >= _A_TIME and key in _TIMES:
            return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC"
        case list() if value and all(isinstance(one, str) for one in value):
            return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
