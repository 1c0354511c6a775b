"""When policy changed, from the audit log: what is marked on plots over time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sinkhole.app.state import State
from sinkhole.policy.default import REASON
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action

MOST = 200


@dataclass(frozen=True, slots=True)
class PolicyMove:
    """A statement that was made, changed what it does, or was removed, at `at` (epoch seconds).

    `action` is None where it was removed; `number` is that of the statement.
    """

    at: int
    subject: Subject
    action: Action | None
    scope: str
    number: int

    @property
    def said(self) -> str:
        """It in words."""
        return f"{self.subject}: {'statement removed' if self.action is None else self.action} for {self.scope}"


def policy_moves(state: State, since: int, subjects: Sequence[Subject] | None = None) -> list[PolicyMove]:
    """Return the changes since a time, the oldest first; the newest `MOST`.

    Args:
        subjects: only of these; None: of all.
    """
    with state.store.reading() as connection:
        rows = connection.exec_driver_sql(
            'SELECT at, "before", "after" FROM audit WHERE at >= ? AND what LIKE \'policy %\' ORDER BY id DESC LIMIT ?',
            (since, MOST),
        ).fetchall()
    moves = [_move(int(at), _fields(before), _fields(after)) for at, before, after in reversed(rows)]
    return [one for one in moves if one is not None and (subjects is None or one.subject in subjects)]


def _fields(text: str | None) -> dict[str, Any]:
    value = json.loads(text or "{}")
    return value if isinstance(value, dict) else {}


def _move(at: int, old: dict[str, Any], new: dict[str, Any]) -> PolicyMove | None:
    """Return what an entry says; None where an action stayed, for the beginning, and for what a later version wrote."""
    told = new or old
    try:
        subject = Subject(SubjectKind(told["subject"]["kind"]), told["subject"]["value"])
        action = None if not new else Action(new["action"])
        if (new and old and old["action"] == new["action"]) or (not old and new["reason"] == REASON):
            return None
        group = told["group"]
        return PolicyMove(at, subject, action, f"group:{group}" if group else "all", int(told["id"]))
    except (KeyError, TypeError, ValueError):
        return None
