"""The append-only log of changes, written in the transaction of the change itself.

Each entry carries a digest of itself and of the digest before it, so whoever changes, removes or slips in an entry
breaks the chain there. A chain that was forged as a whole looks whole: a digest noted elsewhere tells, and the server
logs one at each start.
"""

import hashlib
import json
import os
import pwd
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from sqlalchemy import Connection

from sinkhole.noted import AuditEntry

_COLUMNS = 'id, at, who, origin, what, "before", "after", digest'
_ORIGIN: ContextVar[str | None] = ContextVar("origin", default=None)
_NO_END = 2**62
_FIRST = (0, "")
"""What the first entry follows."""
INSERT = f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
"""Statement that adds the values of `next_entry`."""
LAST = "SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1"
"""Query for what the next entry follows."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look through the whole chain found.

    Attributes:
        count: entries looked at.
        head: number and digest of the last entry, as `12:0fd3…`; empty where there is none.
        broken: numbers of the entries that do not follow from the one before them, or are not what was written.
    """

    count: int
    head: str
    broken: tuple[int, ...]


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


@contextmanager
def acting_from(origin: str) -> Iterator[None]:
    """Let the entries that are made meanwhile tell another origin than this process, such as that of a request."""
    before = _ORIGIN.set(origin)
    try:
        yield
    finally:
        _ORIGIN.reset(before)


def current_origin() -> str:
    """Return where this process is run from: the host, its terminal, and the address of a remote login.

    The address is what the login left in the environment, so whoever is logged in could have changed it.
    """
    told = _ORIGIN.get()
    if told is not None:
        return told
    parts = [socket.gethostname()]
    if terminal := _terminal():
        parts.append(terminal)
    if remote := os.environ.get("SSH_CONNECTION", "").partition(" ")[0]:
        parts.append(f"from {remote}")
    return " ".join(parts)


def _terminal() -> str | None:
    for fd in range(3):
        try:
            return os.ttyname(fd).removeprefix("/dev/")
        except OSError:
            continue
    return None


def note(connection: Connection, who: str, what: str, before: object, after: object) -> None:
    """Add one entry, in a write transaction; values are dataclasses, or plain values for JSON."""
    last = connection.exec_driver_sql(LAST).fetchone()
    connection.exec_driver_sql(INSERT, next_entry(last, who, what, _json(before), _json(after)))


def next_entry(
    last: Sequence[Any] | None, who: str, what: str, before: str | None = None, after: str | None = None
) -> tuple[Any, ...]:
    """Return the values of the entry that follows `last`, a row of `LAST`, for `INSERT`."""
    number, digest = last or _FIRST
    fields = (number + 1, int(time.time()), who, current_origin(), what, before, after)
    return (*fields, _digest(digest, fields))


def entries(
    connection: Connection, limit: int = 100, *, since: int = 0, text: str = "", before: int | None = None
) -> list[AuditEntry]:
    """Return the newest entries, newest first.

    Args:
        since: none older than this, in epoch seconds.
        before: only entries with a number below this.
        text: only those whose `who`, `what` or values contain it, in whatever letter case.
    """
    rows = connection.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM audit WHERE at >= ?1 "  # noqa: S608
        "AND (?2 = '' OR instr(lower(who || char(10) || what || char(10) || coalesce(\"before\", '') || char(10) "
        "|| coalesce(\"after\", '')), lower(?2))) AND id < ?4 ORDER BY id DESC LIMIT ?3",
        (since, text, limit, _NO_END if before is None else before),
    )
    return [AuditEntry(*row) for row in rows]


def entry_of(connection: Connection, number: int) -> AuditEntry | None:
    """Return one entry, or None where there is none of this number."""
    row = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM audit WHERE id = ?", (number,)).fetchone()  # noqa: S608
    return None if row is None else AuditEntry(*row)


def head_of(connection: Connection) -> str:
    """Return number and digest of the last entry, as `12:0fd3…`; empty where there is none."""
    last = connection.exec_driver_sql(LAST).fetchone()
    return "" if last is None else f"{last[0]}:{last[1]}"


def verify(connection: Connection) -> Verified:
    """Look through the whole chain, in constant memory."""
    rows = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM audit ORDER BY id")  # noqa: S608
    return _verified(AuditEntry(*row) for row in rows)


def _verified(found: Iterable[AuditEntry]) -> Verified:
    count, head, broken = 0, "", []
    previous: str | None = _FIRST[1]
    for entry in found:
        fields = (entry.id, entry.at, entry.who, entry.origin, entry.what, entry.before, entry.after)
        if entry.digest is None or entry.digest != _digest(previous, fields):
            broken.append(entry.id)
        count, head, previous = count + 1, f"{entry.id}:{entry.digest}", entry.digest
    return Verified(count, head, tuple(broken))


def _digest(previous: str | None, fields: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps([previous, *fields]).encode()).hexdigest()


def _json(value: object) -> str | None:
    if value is None:
        return None
    plain: Any = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(plain, default=str, sort_keys=True)
