"""Expectations in the store; every change is noted in the audit log in the same transaction."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import RowMapping, delete, insert, select

from sinkhole.policy.expectation import Broken, Expectation
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import note
from sinkhole.store.database import Store
from sinkhole.store.models import ExpectationRow


class ExpectationStore:
    """Read and replace expectations.

    Args:
        store: where they are.
        who: who makes the changes, for the audit log.
    """

    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who

    def all(self) -> tuple[Expectation, ...]:
        """Return all expectations, in the order of their questions."""
        with self._store.reading() as connection:
            rows = connection.execute(select(*ExpectationRow.__table__.c)).mappings()
            return tuple(sorted(map(_expectation, rows), key=lambda expectation: expectation.question))

    def replace(self, wanted: Sequence[Expectation]) -> None:
        """Let there be these and no others; of two with the same question the audit log tells one change."""
        with self._store.transaction() as connection:
            before = {expectation.question: expectation for expectation in self.all()}
            after = {expectation.question: expectation for expectation in wanted}
            connection.execute(delete(ExpectationRow))
            if after:
                connection.execute(insert(ExpectationRow), [_row(expectation) for expectation in after.values()])
            for question in sorted(before.keys() | after.keys()):
                old, new = before.get(question), after.get(question)
                if old != new:
                    note(connection, self._who, f"expectation {new or f'removed: {old}'}", old, new)

    def note_override(self, broken: Iterable[Broken]) -> None:
        """Note in the audit log that a change was made though it breaks expectations."""
        with self._store.transaction() as connection:
            for one in broken:
                note(connection, self._who, f"expectation overridden: {one.expectation}", None, one)


def _expectation(row: RowMapping) -> Expectation:
    return Expectation(
        name=row["name"],
        expect=Action.from_text(row["expect"]),
        qtype=row["qtype"],
        client=row["client"],
        group=row["group"],
        at=None if row["at"] is None else datetime.fromtimestamp(row["at"], UTC),
        by=None if row["by"] is None else Subject.from_text(row["by"]),
        why=row["why"],
    )


def _row(expectation: Expectation) -> dict[str, object]:
    return {
        "name": expectation.name, "qtype": expectation.qtype, "client": expectation.client, "group": expectation.group,
        "at": None if expectation.at is None else int(expectation.at.timestamp()),
        "expect": str(expectation.expect), "by": None if expectation.by is None else str(expectation.by),
        "why": expectation.why,
    }  # fmt: skip
