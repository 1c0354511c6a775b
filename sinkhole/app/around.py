"""The moment around which a report compares: a day, or when a statement was made or changed what it does."""

import json
from typing import Any

from sinkhole.app.state import State
from sinkhole.errors import StoreError
from sinkhole.evidence.model import Around


def around_statement(state: State, number: int) -> tuple[int, str]:
    """Return when a statement last began to do what it does (epoch seconds), and which it is, from the audit log.

    Raises:
        StoreError: no entry is about a statement of this number.
    """
    found: tuple[int, str] | None = None
    with state.store.reading() as connection:
        rows = connection.exec_driver_sql(
            'SELECT at, what, "before", "after" FROM audit WHERE what LIKE \'policy %\' ORDER BY id'
        )
        for at, what, before, after in rows:
            new = _fields(after)
            if new.get("id") == number and new.get("action") != _fields(before).get("action"):
                found = (int(at), f"statement {number}: {str(what).removeprefix('policy ')}")
    if found is None:
        raise StoreError(f"the audit log knows no statement {number}; sinkhole policy list --json tells the numbers")
    return found


def _fields(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def equal_spans(at: int, what: str, oldest: int | None, since: int | None, until: int) -> Around:
    """Return the longest equal times before and after a moment.

    Args:
        oldest: when the oldest hit was, None where there is none.
        since, until: epoch seconds; no time goes beyond; `since` is None for as long as there are hits.

    Raises:
        StoreError: there is nothing before or after it.
    """
    if at >= until:
        raise StoreError("--around: is not before the end of the report")
    begin = max(one for one in (since, oldest, 0) if one is not None)
    if oldest is None or begin >= at:
        raise StoreError("--around: nothing was recorded before it")
    return Around(at, min(until - at, at - begin), what)
