"""What a change of policy would have done to recorded queries: clients, attempts, by schedule, by group."""

from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.app.asked_impact import asked_impact
from sinkhole.app.expectations import stored_policy_over
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.image import NameIndex
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.recorder import Recorder
from tests.policy.world import PROTECTED, VENDORS, WAYS
from tests.store.rows import batch, row

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
INDEX = NameIndex.from_rules((), VENDORS, PROTECTED, WAYS)


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    found = open_state(load_settings(None, {}, {"server.data_dir": folder}))
    for statement in found.policy.statements():
        found.policy.remove(statement.subject, statement.group)
    found.policy.put_group(Group("staff", ("192.0.2.0/24",)))
    found.policy.put(stated("monitor ai"))
    yield found
    found.close()


def stated(text, group=None, **fields):
    action, subject = text.split(" ")
    return Statement(0, Subject.from_text(subject), Action.from_text(action), group, **fields)


def asked(name, *, client="192.0.2.1", ago=timedelta(hours=1), group="staff", count=1, **fields):
    second = int((NOW - ago).timestamp())
    plain = row(name=name, client=client, group=group, count=count, action="monitor", vendor=None, product=None)
    return plain._replace(minute=second // 60, first=second, last=second, **fields)


def record(state, *rows):
    Recorder(state.store, str).write(batch(*rows))


def told(state, *changes, text=None):
    before = stored_policy_over(state, INDEX)
    for change in changes:
        state.policy.put(change)
    return [str(one) for one in asked_impact(state, before, stored_policy_over(state, INDEX), NOW)]


def test_clients_and_attempts_not_queries_are_counted(state):
    record(
        state,
        asked("deepseek.example", count=7),
        asked("deepseek.example", qtype=28),
        asked("v1.api.deepseek.example", ago=timedelta(minutes=59)),
        asked("deepseek.example", ago=timedelta(days=3)),
        asked("deepseek.example", client="192.0.2.2"),
        asked("deepseek.example", client="198.51.100.1", group=None),
        asked("deepseek.example", client="192.0.2.3", ago=timedelta(days=8)),
        asked("writer.example"),
    )
    assert told(state, stated("block vendor:deepseek", "staff")) == [
        "2 clients, 3 attempts in the last 7 days would have been blocked instead of monitored"
    ]


def test_change_that_touches_nothing_asked_tells_nothing(state):
    record(state, asked("deepseek.example"))
    assert told(state, stated("block vendor:cloud")) == []
    assert told(state, stated("monitor vendor:deepseek")) == []


def test_changes_to_both_sides_are_told_apart(state):
    state.policy.put(stated("block vendor:cloud"))
    record(
        state,
        asked("deepseek.example"),
        asked("model.eu.cloud.example"),
        asked("model.eu.cloud.example", client="192.0.2.9"),
    )
    assert told(state, stated("block vendor:deepseek"), stated("allow vendor:cloud")) == [
        "2 clients, 2 attempts in the last 7 days would have been allowed instead of blocked",
        "1 client, 1 attempt in the last 7 days would have been blocked instead of monitored",
    ]


def test_schedule_counts_as_it_would_have(state):
    record(
        state,
        asked("deepseek.example", ago=timedelta(hours=3)),
        asked("deepseek.example", client="192.0.2.2", ago=timedelta(hours=13)),
        asked("deepseek.example", client="192.0.2.2", ago=timedelta(hours=3, days=2)),
    )
    office = schedule_from_text("mon-fri 08:00-17:00 @UTC")
    assert told(state, stated("block vendor:deepseek", schedule=office)) == [
        "1 client, 1 attempt in the last 7 days would have been blocked instead of monitored"
    ], "the others were at night, and on a Sunday"


def test_client_that_is_a_pseudonym_is_judged_by_its_group(state):
    record(
        state,
        asked("deepseek.example", client="p-1234"),
        asked("deepseek.example", client="p-5678", group=None),
        asked("deepseek.example", client="p-9999", group="gone"),
    )
    assert told(state, stated("block vendor:deepseek", "staff")) == [
        "1 client, 1 attempt in the last 7 days would have been blocked instead of monitored"
    ]


def test_clients_that_are_not_stored_are_not_counted(state):
    record(state, asked("deepseek.example", client=""))
    assert told(state, stated("block vendor:deepseek")) == [
        "1 attempt in the last 7 days would have been blocked instead of monitored"
    ]


def test_name_that_no_text_has_is_passed_over(state):
    record(state, asked("\\300broken" * 40), asked("deepseek.example"))
    assert len(told(state, stated("block vendor:deepseek"))) == 1


def test_many_queries_are_counted_in_one_go(state):
    """More than SQLite binds, in a time that a person waits."""
    rows = [asked(f"n{n}.deepseek.example", client=f"192.0.2.{n % 200 + 1}") for n in range(20_000)]
    record(state, *rows)
    assert told(state, stated("block vendor:deepseek")) == [
        "200 clients, 200 attempts in the last 7 days would have been blocked instead of monitored"
    ]
