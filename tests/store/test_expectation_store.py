"""Expectations come back as they were put in, and each change is in the audit log."""

from datetime import UTC, datetime

import pytest

from sinkhole.policy.expectation import Broken, Expectation
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import entries
from sinkhole.store.expectation_store import ExpectationStore

PLAIN = Expectation("example.org", Action.BLOCK)
FULL = Expectation(
    "a.example.org", Action.ALLOW, "AAAA", "192.0.2.1", None, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
    Subject.from_text("vendor:example"), 'it\'s "odd"; é',
)  # fmt: skip
OF_GROUP = Expectation("example.org", Action.MONITOR, group="gone")


@pytest.fixture
def expectations(store):
    return ExpectationStore(store, "admin")


def audit(store):
    with store.reading() as connection:
        return [(entry.who, entry.what) for entry in reversed(entries(connection))]


def test_expectations_come_back_as_they_were_put_in_the_order_of_their_questions(expectations):
    expectations.replace([PLAIN, OF_GROUP, FULL])
    assert expectations.all() == (FULL, PLAIN, OF_GROUP)
    expectations.replace([])
    assert expectations.all() == ()


def test_only_what_changes_is_noted(store, expectations):
    expectations.replace([PLAIN, FULL])
    expectations.replace([FULL, PLAIN])
    expectations.replace([Expectation("example.org", Action.ALLOW)])
    assert audit(store) == [
        ("admin", f"expectation {FULL}"),
        ("admin", f"expectation {PLAIN}"),
        ("admin", f"expectation removed: {FULL}"),
        ("admin", "expectation example.org A for a client in no group: allow"),
    ]


def test_override_is_noted(store, expectations):
    expectations.note_override([Broken(PLAIN, "allow by ai")])
    expectations.note_override([])
    with store.reading() as connection:
        (entry,) = entries(connection)
    assert entry.what == "expectation overridden: example.org A for a client in no group: block"
    assert "allow by ai" in (entry.after or "")


def test_part_of_a_transaction_that_fails_is_undone(store, expectations):
    def fail():
        with store.transaction():
            expectations.replace([PLAIN])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert expectations.all() == ()
    assert audit(store) == []
