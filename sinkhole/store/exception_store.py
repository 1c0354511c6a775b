"""Exceptions in the store, those that are over too; every change is noted in the audit log in the same transaction."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from sinkhole.errors import PolicyError
from sinkhole.policy.exception import OPEN, ExceptionState, PolicyException
from sinkhole.policy.subject import Subject
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import ExceptionRow

_ROWS = select(*ExceptionRow.__table__.c).order_by(ExceptionRow.id)


class ExceptionStore:
    """Read and change exceptions.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log, and who approves.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self) -> tuple[PolicyException, ...]:
        """Return all that there ever were, in order of their numbers."""
        with self._store.reading() as connection:
            return tuple(map(_exception, connection.execute(_ROWS).mappings()))

    def in_force(self, now: datetime) -> tuple[PolicyException, ...]:
        """Return those that count at `now`."""
        query = _ROWS.where(*_at(ExceptionState.APPROVED, now))
        with self._store.reading() as connection:
            return tuple(map(_exception, connection.execute(query).mappings()))

    def count_requested(self, now: datetime) -> int:
        """Return how many wait for a decision at `now`."""
        query = select(func.count()).where(*_at(ExceptionState.REQUESTED, now))
        with self._store.reading() as connection:
            return connection.execute(query).scalar_one()

    def find(self, number: int) -> PolicyException | None:
        """Return one, None where there is none of this number."""
        with self._store.reading() as connection:
            row = connection.execute(_ROWS.where(ExceptionRow.id == number)).mappings().one_or_none()
        return None if row is None else _exception(row)

    def request(self, wanted: PolicyException, now: datetime) -> PolicyException:
        """Store a request; its number is the store's to give.

        Raises:
            PolicyError: it has ended, or ends too far ahead.
        """
        _check(wanted, now)
        stored = replace(wanted.plain(), state=ExceptionState.REQUESTED, created=now)
        with self._store.transaction() as connection:
            made = connection.execute(insert(ExceptionRow).values(_row(stored)).returning(ExceptionRow.id))
            after = _found(connection, made.scalar_one())
            self._note(connection, "requested", None, after)
            return after

    def approve(self, number: int, now: datetime) -> PolicyException:
        """Let a request count; it takes the place of what was approved on the same subject and scope before.

        Raises:
            PolicyError: there is no such request, or it can no longer be approved.
        """
        with self._store.transaction() as connection:
            wanted = _found(connection, number)
            state = wanted.state_at(now)
            if state is not ExceptionState.REQUESTED:
                raise PolicyError(f"exception {number} is {state}, so it cannot be approved")
            same = _ROWS.where(*_at(ExceptionState.APPROVED, now), ExceptionRow.subject == str(wanted.subject))
            for other in tuple(map(_exception, connection.execute(same).mappings())):
                if other.identity == wanted.identity:
                    self._decide(connection, other, ExceptionState.REVOKED, now, f"revoked, replaced by {number}")
            return self._decide(connection, wanted, ExceptionState.APPROVED, now)

    def deny(self, number: int, now: datetime) -> PolicyException:
        """Turn a request down.

        Raises:
            PolicyError: there is no such request.
        """
        return self._end(number, ExceptionState.REQUESTED, ExceptionState.DENIED, now)

    def revoke(self, number: int, now: datetime) -> PolicyException:
        """End an approved one before its time.

        Raises:
            PolicyError: there is none such, or it is over.
        """
        return self._end(number, ExceptionState.APPROVED, ExceptionState.REVOKED, now)

    def put(self, wanted: PolicyException, now: datetime) -> PolicyException:
        """Request and approve in one.

        Raises:
            PolicyError: as in `request`.
        """
        with self._store.transaction():
            return self.approve(self.request(wanted, now).id, now)

    def end_of_group(self, group: str, now: datetime) -> None:
        """Revoke what is for a group that goes, so that none later of its name inherits it."""
        with self._store.transaction() as connection:
            of_group = _ROWS.where(ExceptionRow.group == group)
            for one in tuple(map(_exception, connection.execute(of_group).mappings())):
                if one.state_at(now) in OPEN:
                    said = f"revoked, since group {group} is removed"
                    self._decide(connection, one, ExceptionState.REVOKED, now, said)

    def _end(self, number: int, was: ExceptionState, becomes: ExceptionState, now: datetime) -> PolicyException:
        with self._store.transaction() as connection:
            before = _found(connection, number)
            state = before.state_at(now)
            if state is not was:
                raise PolicyError(f"exception {number} is {state}, so it cannot be {becomes}")
            return self._decide(connection, before, becomes, now)

    def _decide(
        self, connection: Connection, before: PolicyException, state: ExceptionState, now: datetime, said: str = ""
    ) -> PolicyException:
        values: dict[str, Any] = {"state": state.value}
        if state is not ExceptionState.REVOKED:  # then who approved it, and when, stays known; the log has the rest
            values |= {"approver": self._who, "decided": int(now.timestamp())}
        connection.execute(update(ExceptionRow).where(ExceptionRow.id == before.id).values(values))
        after = _found(connection, before.id)
        self._note(connection, said or ("approved by who asked for it" if after.is_own else str(state)), before, after)
        return after

    def _note(self, connection: Connection, said: str, before: PolicyException | None, after: PolicyException) -> None:
        what = f"exception {after.id} on {after.subject} for {after.scope} {said}"
        note(connection, self._who, what, *(one and _plain(one) for one in (before, after)))


def _at(state: ExceptionState, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of those that are in a state out of `OPEN` at `now`."""
    return ExceptionRow.state == state.value, ExceptionRow.expires > now.timestamp()


def _check(wanted: PolicyException, now: datetime) -> None:
    if mistake := wanted.mistake_at(now):
        raise PolicyError(f"exception on {wanted.subject} for {wanted.scope}: its end {mistake}")


def _found(connection: Connection, number: int) -> PolicyException:
    row = connection.execute(_ROWS.where(ExceptionRow.id == number)).mappings().one_or_none()
    if row is None:
        raise PolicyError(f"there is no exception {number}")
    return _exception(row)


def _exception(row: RowMapping) -> PolicyException:
    times: dict[str, Any] = {key: _time(row[key]) for key in ("created", "decided", "expires")}
    return PolicyException(
        **(dict(row) | times | {"subject": Subject.from_text(row["subject"]), "state": ExceptionState(row["state"])})
    )


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _row(exception: PolicyException) -> dict[str, Any]:
    fields = _plain(exception)
    del fields["id"]
    return fields | {key: int(fields[key].timestamp()) for key in ("created", "expires")}


def _plain(exception: PolicyException) -> dict[str, Any]:
    return asdict(exception) | {"subject": str(exception.subject), "state": exception.state.value}
