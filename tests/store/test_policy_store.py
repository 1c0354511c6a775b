"""Statements and groups come back as they were put in, and each change is in the audit log."""

import json
import sqlite3
from datetime import UTC, datetime

import pytest

from sinkhole.errors import PolicyError, StoreError
from sinkhole.policy.basis import Basis
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.store.audit import entries
from sinkhole.store.policy_store import PolicyStore

VENDOR = Subject.from_text("vendor:example")
STAFF = Group("staff", ("192.0.2.0/24", "2001:db8::/32"))
WORK = schedule_from_text("mon-fri 08:00-12:00,13:00-17:30 @Europe/Berlin")
NIGHT = schedule_from_text("22:00-06:00 @Europe/Berlin")


@pytest.fixture
def policy(store):
    return PolicyStore(store, "admin")


def audit(store):
    with store.reading() as connection:
        return [entry.what for entry in reversed(entries(connection))]


@pytest.mark.parametrize(
    "statement",
    [
        Statement(1, Subject.from_text("ai"), Action.BLOCK),
        Statement(1, Subject.from_text("domain:" + "a" * 60 + "." + "b" * 60 + ".example.org"), Action.ALLOW),
        Statement(
            1, Subject.from_text("jurisdiction:xx"), Action.MONITOR, reason='it\'s "odd"; --', owner="é", ticket="T-1"
        ),
        Statement(1, VENDOR, Action.ALLOW, expires=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        Statement(1, VENDOR, Action.ALLOW, expires=datetime.fromtimestamp(0, UTC)),
        Statement(1, VENDOR, Action.BLOCK, schedule=WORK),
        Statement(1, VENDOR, Action.BLOCK, basis=Basis.LAW),
    ],
    ids=lambda statement: str(statement.subject),
)
def test_statement_comes_back_as_it_was_put(policy, statement):
    assert policy.put(statement) == statement
    assert policy.statements() == (statement,)


def test_statement_on_the_same_subject_and_scope_is_replaced(policy):
    policy.put_group(STAFF)
    first = policy.put(Statement(0, VENDOR, Action.BLOCK, reason="old"))
    group = policy.put(Statement(0, VENDOR, Action.ALLOW, "staff"))
    second = policy.put(Statement(0, VENDOR, Action.MONITOR))
    assert second.id == first.id
    assert second.reason is None
    assert policy.statements() == (second, group)


@pytest.mark.parametrize("group", [None, "staff"])
def test_statements_on_one_subject_and_scope_may_differ_by_their_schedule(policy, group):
    policy.put_group(STAFF)
    always = policy.put(Statement(0, VENDOR, Action.MONITOR, group))
    work = policy.put(Statement(0, VENDOR, Action.BLOCK, group, schedule=WORK))
    policy.put(Statement(0, VENDOR, Action.BLOCK, group, schedule=NIGHT))
    night = policy.put(Statement(0, VENDOR, Action.ALLOW, group, schedule=schedule_from_text(str(NIGHT))))
    assert policy.statements() == (always, work, night)
    assert night.action is Action.ALLOW


def test_one_of_several_is_removed_by_its_schedule(policy):
    for schedule in (None, WORK, NIGHT):
        policy.put(Statement(0, VENDOR, Action.BLOCK, schedule=schedule))
    with pytest.raises(PolicyError) as refused:
        policy.remove(VENDOR, None)
    assert str(refused.value) == (
        "there are several statements on vendor:example for all; name one by its schedule: block always; "
        f"block {NIGHT}; block {WORK}"
    )
    assert policy.remove(VENDOR, None, "always").schedule is None
    assert policy.remove(VENDOR, None, WORK).schedule == WORK
    for absent in ("always", WORK):
        with pytest.raises(PolicyError, match=r"no such statement on vendor:example for all; there are: block 22:00"):
            policy.remove(VENDOR, None, absent)
    assert policy.remove(VENDOR, None).schedule == NIGHT
    with pytest.raises(PolicyError, match=r"there is no statement on vendor:example for all$"):
        policy.remove(VENDOR, None, WORK)


def test_audit_log_tells_the_schedule(policy, store):
    assert not policy.was_ever_about(VENDOR)
    policy.put(Statement(0, VENDOR, Action.BLOCK, schedule=WORK))
    policy.remove(VENDOR, None)
    assert audit(store) == [
        f"policy block vendor:example for all, {WORK}", f"policy remove vendor:example for all, {WORK}",
    ]  # fmt: skip
    with store.reading() as connection:
        removed, added = entries(connection)
    assert removed.before == added.after
    assert json.loads(added.after)["schedule"] == str(WORK)
    assert policy.was_ever_about(VENDOR)


def test_number_of_a_removed_statement_is_not_given_again(policy):
    first = policy.put(Statement(0, VENDOR, Action.BLOCK))
    policy.remove(VENDOR, None)
    assert policy.put(Statement(0, VENDOR, Action.BLOCK)).id > first.id


def test_statement_for_an_unknown_group_is_refused(policy, store):
    with pytest.raises(PolicyError, match="there is no group 'staff'"):
        policy.put(Statement(0, VENDOR, Action.BLOCK, "staff"))
    assert policy.statements() == ()
    assert audit(store) == []


def test_removing_what_is_not_there_is_said(policy):
    policy.put_group(STAFF)
    policy.put(Statement(0, VENDOR, Action.BLOCK, "staff"))
    with pytest.raises(PolicyError, match="no statement on vendor:example for all"):
        policy.remove(VENDOR, None)
    with pytest.raises(PolicyError, match="no statement on ai for group:staff"):
        policy.remove(Subject.from_text("ai"), "staff")
    with pytest.raises(PolicyError, match="there is no group 'guests'"):
        policy.remove_group("guests")
    assert policy.remove(VENDOR, "staff").action is Action.BLOCK
    assert policy.statements() == ()


@pytest.mark.parametrize(
    "group",
    [
        STAFF,
        Group("empty", ()),
        Group("quiet", ("192.0.2.1/32",), 7, BlockAnswer(BlockMode.NXDOMAIN, None, None, 60, 16)),
        Group("sunk", ("192.0.2.1/32",), answer=BlockAnswer(ipv4="192.0.2.53", ipv6=None)),
    ],
    ids=lambda group: group.name,
)
def test_group_comes_back_as_it_was_put(policy, group):
    assert policy.put_group(group) == group
    assert policy.groups() == (group,)


def test_group_is_replaced_with_its_members_and_keeps_its_statements(policy):
    policy.put_group(STAFF)
    statement = policy.put(Statement(0, VENDOR, Action.BLOCK, "staff"))
    changed = policy.put_group(Group("staff", ("198.51.100.0/24", "198.51.100.0/24"), 5))
    assert changed == Group("staff", ("198.51.100.0/24",), 5)
    assert policy.groups() == (changed,)
    assert policy.statements() == (statement,)


def test_removed_group_takes_its_statements_along(policy, store):
    policy.put_group(STAFF)
    policy.put(Statement(0, VENDOR, Action.BLOCK, "staff"))
    everyone = policy.put(Statement(0, VENDOR, Action.MONITOR))
    assert policy.remove_group("staff") == STAFF
    assert policy.groups() == ()
    assert policy.statements() == (everyone,)
    assert audit(store)[-2:] == ["policy remove vendor:example for group:staff", "group staff removed"]


def test_each_change_is_in_the_audit_log_with_before_and_after(policy, store):
    policy.put_group(STAFF)
    policy.put(Statement(0, VENDOR, Action.BLOCK))
    policy.put(Statement(0, VENDOR, Action.ALLOW, reason="needed"))
    policy.remove(VENDOR, None)
    assert audit(store) == [
        "group staff", "policy block vendor:example for all", "policy allow vendor:example for all",
        "policy remove vendor:example for all",
    ]  # fmt: skip
    with store.reading() as connection:
        removed, changed, added, _ = entries(connection)
    assert {entry.who for entry in (removed, changed, added)} == {"admin"}
    assert (added.before, removed.after) == (None, None)
    assert changed.before == added.after
    assert json.loads(changed.after)["reason"] == "needed"


def test_change_that_cannot_be_noted_is_not_made(policy, store):
    """The audit entry is in the transaction of the change."""
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )
    for change in (lambda: policy.put(Statement(0, VENDOR, Action.BLOCK)), lambda: policy.put_group(STAFF)):
        with pytest.raises(StoreError, match="fault"):
            change()
    assert policy.statements() == ()
    assert policy.groups() == ()


def test_two_statements_on_one_subject_and_scope_cannot_be(policy, store):
    policy.put(Statement(0, VENDOR, Action.BLOCK))
    policy.put(Statement(0, VENDOR, Action.BLOCK, schedule=NIGHT))
    for schedule in ("", str(NIGHT)):
        with pytest.raises(StoreError, match="UNIQUE"), store.transaction() as connection:
            connection.exec_driver_sql(
                "INSERT INTO statement (subject, action, schedule) VALUES ('vendor:example', 'allow', ?)", (schedule,)
            )


def test_what_another_program_wrote_wrongly_is_a_documented_error(policy, path):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO statement (subject, action) VALUES ('planet:mars', 'block')")
    connection.close()
    with pytest.raises(PolicyError, match="planet:mars"):
        policy.statements()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE statement SET subject = 'ai', schedule = 'always'")
    connection.close()
    with pytest.raises(PolicyError, match="schedule: column 7: wanted a time zone"):
        policy.statements()
