"""Statements and groups in the store; every change is noted in the audit log in the same transaction."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from sinkhole.errors import PolicyError
from sinkhole.policy.basis import Basis
from sinkhole.policy.member import Member, MemberKind, member_from_text
from sinkhole.policy.schedule import Schedule
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.models import GroupRow, MemberRow, StatementRow
from sinkhole.store.override_store import OverrideStore

_STATEMENTS = select(*StatementRow.__table__.c)


class PolicyStore:
    """Read and change policy.

    Args:
        store: where it is.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def was_ever_about(self, subject: Subject) -> bool:
        """Return whether a statement on `subject` for all was ever made or taken back, as the audit log tells."""
        with self._store.reading() as connection:
            row = connection.exec_driver_sql(
                "SELECT 1 FROM audit WHERE what LIKE ?1 ESCAPE '!' OR what LIKE ?1 || ', %' ESCAPE '!' LIMIT 1",
                (f"%policy % {_literal(str(subject))} for all",),
            ).fetchone()
        return row is not None

    def statements(self) -> tuple[Statement, ...]:
        """Return all statements, in order of their numbers."""
        with self._store.reading() as connection:
            return tuple(map(_statement, connection.execute(_STATEMENTS.order_by(StatementRow.id)).mappings()))

    def groups(self) -> tuple[Group, ...]:
        """Return all groups with their members, by name."""
        with self._store.reading() as connection:
            members: dict[str, list[str]] = {}
            for group, kind, value in connection.execute(select(MemberRow.group, MemberRow.kind, MemberRow.value)):
                members.setdefault(group, []).append(str(Member(MemberKind(kind), value)))
            rows = connection.execute(select(*GroupRow.__table__.c).order_by(GroupRow.name)).mappings()
            return tuple(_group(row, members.get(row["name"], ())) for row in rows)

    def put(self, statement: Statement) -> Statement:
        """Add a statement, or replace that on the same subject and scope with the same schedule, or with none either.

        Its number is the store's to give.

        Raises:
            PolicyError: its group does not exist.
        """
        with self._store.transaction() as connection:
            if statement.group is not None and statement.group not in self._names(connection):
                raise PolicyError(f"there is no group {statement.group!r}")
            about = self._about(connection, statement.subject, statement.group)
            before = next((found for found in about if found.schedule == statement.schedule), None)
            values = {
                "subject": str(statement.subject), "action": str(statement.action), "group": statement.group,
                "reason": statement.reason, "owner": statement.owner, "ticket": statement.ticket,
                "expires": int(statement.expires.timestamp()) if statement.expires else None,
                "schedule": str(statement.schedule or ""), "basis": statement.basis,
            }  # fmt: skip
            if before:
                number = before.id
                connection.execute(update(StatementRow).where(StatementRow.id == number).values(values))
            else:
                number = connection.execute(insert(StatementRow).values(values).returning(StatementRow.id)).scalar_one()
            after = _statement(connection.execute(_STATEMENTS.where(StatementRow.id == number)).mappings().one())
            _note(connection, self._who, f"policy {after.action} {after.subject} for {after.extent}", before, after)
            return after

    def remove(
        self, subject: Subject, group: str | None, schedule: Schedule | Literal["always", "any"] = "any"
    ) -> Statement:
        """Remove the statement on a subject and scope, and return it.

        Args:
            schedule: its schedule; `always` for that without one, `any` for the only one there is.

        Raises:
            PolicyError: there is none, or several from which to choose; they are told.
        """
        with self._store.transaction() as connection:
            about = self._about(connection, subject, group)
            found = [s for s in about if schedule in ("any", s.schedule or "always")]
            if len(found) != 1:
                scope = "all" if group is None else f"group:{group}"
                raise PolicyError(_not_one(f"{subject} for {scope}", about, found))
            (before,) = found
            connection.execute(delete(StatementRow).where(StatementRow.id == before.id))
            _note(connection, self._who, f"policy remove {subject} for {before.extent}", before, None)
            return before

    def put_group(self, group: Group) -> Group:
        """Add a group, or replace that of the same name."""
        with self._store.transaction() as connection:
            before = self._group(connection, group.name) if group.name in self._names(connection) else None
            values = {"order": group.order, "answer": _answer_to_json(group.answer)}
            if before:
                connection.execute(update(GroupRow).where(GroupRow.name == group.name).values(values))
                connection.execute(delete(MemberRow).where(MemberRow.group == group.name))
            else:
                connection.execute(insert(GroupRow).values(name=group.name, **values))
            rows = [{"group": group.name} | _member_row(text) for text in dict.fromkeys(group.members)]
            if rows:
                connection.execute(insert(MemberRow), rows)
            after = self._group(connection, group.name)
            note(connection, self._who, f"group {group.name}", before, after)
            return after

    def remove_group(self, name: str) -> Group:
        """Remove a group, the statements on it, and what goes before statements for it.

        Raises:
            PolicyError: there is none of this name.
        """
        with self._store.transaction() as connection:
            if name not in self._names(connection):
                raise PolicyError(f"there is no group {name!r}")
            before = self._group(connection, name)
            found = connection.execute(_STATEMENTS.where(StatementRow.group == name)).mappings().all()
            for statement in map(_statement, found):
                what = f"policy remove {statement.subject} for {statement.extent}"
                _note(connection, self._who, what, statement, None)
            now = datetime.now(UTC)
            ExceptionStore(self._store, self._who).end_of_group(name, now)
            OverrideStore(self._store, self._who).end(lambda one: one.group == name, now)
            connection.execute(delete(GroupRow).where(GroupRow.name == name))
            note(connection, self._who, f"group {name} removed", before, None)
            return before

    def _about(self, connection: Connection, subject: Subject, group: str | None) -> list[Statement]:
        """Return the statements on a subject and scope, which differ by their schedule."""
        scope = StatementRow.group.is_(None) if group is None else StatementRow.group == group
        query = _STATEMENTS.where(StatementRow.subject == str(subject), scope).order_by(StatementRow.schedule)
        return [_statement(row) for row in connection.execute(query).mappings()]

    def _names(self, connection: Connection) -> list[str]:
        return list(connection.execute(select(GroupRow.name).order_by(GroupRow.name)).scalars())

    def _group(self, connection: Connection, name: str) -> Group:
        row = connection.execute(select(*GroupRow.__table__.c).where(GroupRow.name == name)).mappings().one()
        query = select(MemberRow.kind, MemberRow.value).where(MemberRow.group == name)
        return _group(row, [str(Member(MemberKind(kind), value)) for kind, value in connection.execute(query)])


def _group(row: RowMapping, members: Iterable[str]) -> Group:
    return Group(row["name"], tuple(sorted(members)), row["order"], _answer_from_json(row["answer"]))


def _member_row(text: str) -> dict[str, str]:
    member = member_from_text(text)
    is_network = member.kind is MemberKind.NETWORK
    return {"kind": member.kind.value, "value": text if is_network else member.value}


def _statement(row: RowMapping) -> Statement:
    return Statement(
        id=row["id"],
        subject=Subject.from_text(row["subject"]),
        action=Action.from_text(row["action"]),
        group=row["group"],
        reason=row["reason"],
        owner=row["owner"],
        ticket=row["ticket"],
        expires=None if row["expires"] is None else datetime.fromtimestamp(row["expires"], UTC),
        schedule=schedule_from_text(row["schedule"]) if row["schedule"] else None,
        basis=None if row["basis"] is None else Basis(row["basis"]),
    )


def _note(connection: Connection, who: str, what: str, before: Statement | None, after: Statement | None) -> None:
    """Note a change of a statement, with its schedule as people write it."""
    note(connection, who, what, *(_plain(statement) for statement in (before, after)))


def _plain(statement: Statement | None) -> dict[str, Any] | None:
    if statement is None:
        return None
    schedule = statement.schedule
    return asdict(replace(statement, schedule=None)) | {"schedule": None if schedule is None else str(schedule)}


def _not_one(what: str, about: Sequence[Statement], found: Sequence[Statement]) -> str:
    there_are = "; ".join(f"{s.action} {s.schedule or 'always'}" for s in about)
    if found:
        return f"there are several statements on {what}; name one by its schedule: {there_are}"
    if about:
        return f"there is no such statement on {what}; there are: {there_are}"
    return f"there is no statement on {what}"


def _answer_to_json(answer: BlockAnswer | None) -> str | None:
    return None if answer is None else json.dumps(asdict(answer) | {"mode": answer.mode.value})


def _answer_from_json(text: str | None) -> BlockAnswer | None:
    if text is None:
        return None
    fields = json.loads(text)
    return BlockAnswer(**(fields | {"mode": BlockMode(fields["mode"])}))


def _literal(text: str) -> str:
    """Return text for a LIKE pattern in which it stands for itself."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
