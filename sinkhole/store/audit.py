"""The append-only log of changes, written in the transaction of the change itself."""

import json
import os
import pwd
import time
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change: when (epoch seconds), who, what, and the values before and after as JSON."""

    id: int
    at: int
    who: str
    what: str
    before: str | None
    after: str | None


def current_user() -> str:
    """Return the name of whoever runs this process, and of whoever became root to do so.

    From the system, since anybody can set `USER` and `LOGNAME`.
    """
    name = _name_of(os.getuid())
    sudo = os.environ.get("SUDO_USER") if os.getuid() == 0 else None
    return f"{name} (sudo by {sudo})" if sudo and sudo != name else name


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def note(connection: Connection, who: str, what: str, before: object, after: object) -> None:
    """Add one entry; values are dataclasses, or plain values for JSON."""
    connection.exec_driver_sql(
        'INSERT INTO audit (at, who, what, "before", "after") VALUES (?, ?, ?, ?, ?)',
        (int(time.time()), who, what, _json(before), _json(after)),
    )


def entries(connection: Connection, limit: int = 100) -> list[AuditEntry]:
    """Return the newest entries, newest first."""
    rows = connection.exec_driver_sql(
        'SELECT id, at, who, what, "before", "after" FROM audit ORDER BY id DESC LIMIT ?', (limit,)
    )
    return [AuditEntry(*row) for row in rows]


def _json(value: object) -> str | None:
    if value is None:
        return None
    plain: Any = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(plain, default=str, sort_keys=True)
