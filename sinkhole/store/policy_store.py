"""Statements and groups in the store; every change is noted in the audit log in the same transaction."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from sinkhole.errors import PolicyError
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import GroupRow, MemberRow, StatementRow

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
                "SELECT 1 FROM audit WHERE what LIKE ? ESCAPE '!' LIMIT 1",
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
            return tuple(self._group(connection, name) for name in self._names(connection))

    def put(self, statement: Statement) -> Statement:
        """Add a statement, or replace that on the same subject and scope; its number is the store's to give.

        Raises:
            PolicyError: its group does not exist.
        """
        with self._store.transaction() as connection:
            if statement.group is not None and statement.group not in self._names(connection):
                raise PolicyError(f"there is no group {statement.group!r}")
            before = self._find(connection, statement.subject, statement.group)
            values = {
                "subject": str(statement.subject), "action": str(statement.action), "group": statement.group,
                "reason": statement.reason, "owner": statement.owner, "ticket": statement.ticket,
                "expires": int(statement.expires.timestamp()) if statement.expires else None,
            }  # fmt: skip
            if before:
                number = before.id
                connection.execute(update(StatementRow).where(StatementRow.id == number).values(values))
            else:
                number = connection.execute(insert(StatementRow).values(values).returning(StatementRow.id)).scalar_one()
            after = _statement(connection.execute(_STATEMENTS.where(StatementRow.id == number)).mappings().one())
            note(connection, self._who, f"policy {after.action} {after.subject} for {after.scope}", before, after)
            return after

    def remove(self, subject: Subject, group: str | None) -> Statement:
        """Remove the statement on a subject and scope, and return it.

        Raises:
            PolicyError: there is none.
        """
        with self._store.transaction() as connection:
            before = self._find(connection, subject, group)
            if before is None:
                scope = "all" if group is None else f"group:{group}"
                raise PolicyError(f"there is no statement on {subject} for {scope}")
            connection.execute(delete(StatementRow).where(StatementRow.id == before.id))
            note(connection, self._who, f"policy remove {subject} for {before.scope}", before, None)
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
            rows = [
                {"group": group.name, "kind": "network", "value": member} for member in dict.fromkeys(group.members)
            ]
            if rows:
                connection.execute(insert(MemberRow), rows)
            after = self._group(connection, group.name)
            note(connection, self._who, f"group {group.name}", before, after)
            return after

    def remove_group(self, name: str) -> Group:
        """Remove a group and the statements on it.

        Raises:
            PolicyError: there is none of this name.
        """
        with self._store.transaction() as connection:
            if name not in self._names(connection):
                raise PolicyError(f"there is no group {name!r}")
            before = self._group(connection, name)
            found = connection.execute(_STATEMENTS.where(StatementRow.group == name)).mappings().all()
            for statement in map(_statement, found):
                note(connection, self._who, f"policy remove {statement.subject} for group:{name}", statement, None)
            connection.execute(delete(GroupRow).where(GroupRow.name == name))
            note(connection, self._who, f"group {name} removed", before, None)
            return before

    def _find(self, connection: Connection, subject: Subject, group: str | None) -> Statement | None:
        scope = StatementRow.group.is_(None) if group is None else StatementRow.group == group
        found = connection.execute(_STATEMENTS.where(StatementRow.subject == str(subject), scope))
        row = found.mappings().one_or_none()
        return _statement(row) if row else None

    def _names(self, connection: Connection) -> list[str]:
        return list(connection.execute(select(GroupRow.name).order_by(GroupRow.name)).scalars())

    def _group(self, connection: Connection, name: str) -> Group:
        row = connection.execute(select(*GroupRow.__table__.c).where(GroupRow.name == name)).mappings().one()
        members = connection.execute(
            select(MemberRow.value).where(MemberRow.group == name).order_by(MemberRow.value)
        ).scalars()
        return Group(name, tuple(members), row["order"], _answer_from_json(row["answer"]))


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
    )


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
