"""Pauses, lockdowns and grants in the store; begin and early end are noted in the audit log."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from sinkhole.errors import PolicyError
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.subject import Subject
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import OverrideRow

_ROWS = select(*OverrideRow.__table__.c).order_by(OverrideRow.id)
_GRANTS_KEPT = 86_400
"""Seconds that a grant which ended is kept: it holds an address, and who did what is in the hits as far as recorded."""


class OverrideStore:
    """Read and change them.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def in_force(self, now: datetime) -> tuple[Override, ...]:
        """Return those that have not ended, in order of their numbers."""
        with self._store.reading() as connection:
            return _in_force(connection, now)

    def begin(self, wanted: Override, now: datetime) -> Override:
        """Begin a pause or a lockdown; it takes the place of one of its kind with the same scope and subjects.

        Its number is the store's to give.
        """
        with self._store.transaction() as connection:
            for other in _in_force(connection, now):
                if _same(other) == _same(wanted):
                    self._end(connection, other, now, "ended, since the next one takes its place")
            return self._add(connection, replace(wanted, begins=now))

    def grant(self, wanted: Override, token: str, now: datetime) -> Override:
        """Give a grant for a token, of which the digest is wanted.

        Raises:
            PolicyError: one was given for it before.
        """
        with self._store.transaction() as connection:
            if connection.execute(select(OverrideRow.id).where(OverrideRow.token == token)).first() is not None:
                raise PolicyError("the token was used before")
            return self._add(connection, replace(wanted, begins=now), token)

    def end(self, is_meant: Callable[[Override], bool], now: datetime) -> tuple[Override, ...]:
        """End those that are meant before their time, and return them."""
        with self._store.transaction() as connection:
            found = tuple(one for one in _in_force(connection, now) if is_meant(one))
            for one in found:
                self._end(connection, one, now, "ended early")
            return found

    def _add(self, connection: Connection, wanted: Override, token: str | None = None) -> Override:
        made = connection.execute(insert(OverrideRow).values(_row(wanted, token)).returning(OverrideRow.id))
        number = made.scalar_one()
        stored = _override(connection.execute(_ROWS.where(OverrideRow.id == number)).mappings().one())
        note(connection, self._who, f"{_title(stored)} until {stored.ends.isoformat()}", None, _plain(stored))
        return stored

    def _end(self, connection: Connection, one: Override, now: datetime, said: str) -> None:
        values = {"ended": int(now.timestamp())}
        connection.execute(update(OverrideRow).where(OverrideRow.id == one.id).values(values))
        note(connection, self._who, f"{_title(one)} {said}", _plain(one), None)


def forget_grants(connection: Connection, now: float) -> None:
    """Delete grants that ended a day ago; pauses and lockdowns stay for the record."""
    is_old = OverrideRow.ends < int(now) - _GRANTS_KEPT
    connection.execute(delete(OverrideRow).where(OverrideRow.kind == OverrideKind.GRANT.value, is_old))


def _in_force(connection: Connection, now: datetime) -> tuple[Override, ...]:
    rows = connection.execute(
        _ROWS.where(OverrideRow.ends > int(now.timestamp()), OverrideRow.ended.is_(None))
    ).mappings()
    return tuple(map(_override, rows))


def _same(one: Override) -> tuple[object, ...]:
    return (one.kind, frozenset(one.subjects), one.client, one.group)


def _title(one: Override) -> str:
    about = " ".join(map(str, one.subjects)) or "everything"
    scope = "one client" if one.kind is OverrideKind.GRANT else one.scope
    return f"{one.kind} {one.id} on {about} for {scope}"


def _plain(one: Override) -> dict[str, Any]:
    """Return it for the audit log, which is kept for ever: a grant without the address of its client."""
    return _row(one, None) | {"id": one.id} | ({"client": None} if one.kind is OverrideKind.GRANT else {})


def _row(one: Override, token: str | None) -> dict[str, Any]:
    return {
        "kind": one.kind.value, "subjects": _words(one.subjects), "client": one.client, "group": one.group,
        "reason": one.reason, "owner": one.owner, "begins": _seconds(one.begins), "ends": _seconds(one.ends),
        "token": token,
    }  # fmt: skip


def _words(subjects: Iterable[Subject]) -> str:
    return " ".join(map(str, subjects))


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _override(row: RowMapping) -> Override:
    return Override(
        OverrideKind(row["kind"]), row["id"], tuple(map(Subject.from_text, row["subjects"].split())),
        datetime.fromtimestamp(row["ends"], UTC), datetime.fromtimestamp(row["begins"], UTC), row["client"],
        row["group"], row["reason"], row["owner"],
    )  # fmt: skip
