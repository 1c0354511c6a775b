"""Exceptions in the store: from request to end, each change in the audit log."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.policy.statement import Group
from sinkhole.policy.subject import Subject
from sinkhole.store.audit import entries
from sinkhole.store.exception_store import ExceptionStore
from sinkhole.store.policy_store import PolicyStore

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SUBJECT = Subject.from_text("vendor:deepseek")


def wanted(days: float = 7, **fields) -> PolicyException:
    return PolicyException(
        SUBJECT, NOW + days * DAY, fields.pop("reason", "paper"), fields.pop("owner", "Ann"), **fields
    )


@pytest.fixture
def exceptions(store):
    return ExceptionStore(store, "Bob")


def said(store) -> list[str]:
    with store.reading() as connection:
        return [entry.what for entry in reversed(entries(connection))]


def test_everything_is_kept(exceptions):
    asked = wanted(client="192.0.2.7", ticket="IT-1", reason='it\'s "odd"; --', owner="é")
    stored = exceptions.request(asked, NOW)
    assert exceptions.all() == (stored,)
    assert stored == PolicyException(
        SUBJECT,
        NOW + 7 * DAY,
        'it\'s "odd"; --',
        "é",
        "192.0.2.7",
        None,
        "IT-1",
        1,
        ExceptionState.REQUESTED,
        None,
        NOW,
    )


def test_only_what_is_approved_counts_and_until_its_end(exceptions):
    number = exceptions.request(wanted(), NOW).id
    assert exceptions.in_force(NOW) == ()
    approved = exceptions.approve(number, NOW + DAY)
    assert (approved.state, approved.approver, approved.decided) == (ExceptionState.APPROVED, "Bob", NOW + DAY)
    assert exceptions.in_force(NOW + 2 * DAY) == (approved,)
    assert exceptions.in_force(NOW + 7 * DAY) == ()
    assert exceptions.all()[0].state_at(NOW + 7 * DAY) is ExceptionState.EXPIRED


def test_one_is_found_and_those_that_wait_are_counted(exceptions):
    first = exceptions.request(wanted(), NOW)
    exceptions.put(wanted(), NOW)
    assert (exceptions.count_requested(NOW), exceptions.count_requested(NOW + 7 * DAY)) == (1, 0)
    assert (exceptions.find(first.id), exceptions.find(99)) == (first, None)


def test_ways_that_a_request_goes(exceptions, store):
    denied, revoked, expired = (exceptions.request(wanted(days), NOW).id for days in (7, 7, 1))
    assert exceptions.deny(denied, NOW).state is ExceptionState.DENIED
    exceptions.approve(revoked, NOW)
    gone = ExceptionStore(store, "Eve").revoke(revoked, NOW + DAY)
    assert (gone.state, gone.approver, gone.decided) == (ExceptionState.REVOKED, "Bob", NOW)
    for change, number, why in (
        (exceptions.approve, denied, "exception 1 is denied, so it cannot be approved"),
        (exceptions.deny, denied, "exception 1 is denied, so it cannot be denied"),
        (exceptions.revoke, denied, "exception 1 is denied, so it cannot be revoked"),
        (exceptions.approve, revoked, "exception 2 is revoked"),
        (exceptions.approve, 9, "there is no exception 9"),
    ):
        with pytest.raises(PolicyError, match=why):
            change(number, NOW)
    with pytest.raises(PolicyError, match="exception 3 is expired, so it cannot be approved"):
        exceptions.approve(expired, NOW + DAY)
    with pytest.raises(PolicyError, match="exception 3 is requested, so it cannot be revoked"):
        exceptions.revoke(expired, NOW)
    assert exceptions.in_force(NOW) == ()


def test_second_on_the_same_subject_and_scope_takes_the_place_of_the_first(exceptions, store):
    first = exceptions.put(wanted(), NOW)
    other = exceptions.put(wanted(group="lab"), NOW)
    second = exceptions.put(wanted(30), NOW)
    assert exceptions.in_force(NOW) == (other, second)
    assert exceptions.all()[0].state is ExceptionState.REVOKED
    assert said(store)[-3:] == [
        "exception 3 on vendor:deepseek for all requested",
        "exception 1 on vendor:deepseek for all revoked, replaced by 3",
        "exception 3 on vendor:deepseek for all approved",
    ]
    assert first.id == 1


def test_own_approval_is_marked(store):
    own = ExceptionStore(store, "Ann")
    assert own.put(wanted(), NOW).is_own
    assert said(store)[-1] == "exception 1 on vendor:deepseek for all approved by who asked for it"


def test_log_says_who_what_before_and_after(exceptions, store):
    exceptions.approve(exceptions.request(wanted(client="192.0.2.7"), NOW).id, NOW)
    with store.reading() as connection:
        entry = entries(connection)[0]
    assert (entry.who, entry.what) == ("Bob", "exception 1 on vendor:deepseek for client:192.0.2.7 approved")
    before, after = (json.loads(value) for value in (entry.before, entry.after))
    assert (before["state"], after["state"], after["subject"]) == ("requested", "approved", "vendor:deepseek")


@pytest.mark.parametrize(("days", "why"), [(0, "has ended already"), (400, "a year ahead")])
def test_end_that_is_wrong(exceptions, days, why):
    with pytest.raises(PolicyError, match=why):
        exceptions.request(wanted(days), NOW)
    with pytest.raises(PolicyError, match=why):
        exceptions.put(wanted(days), NOW)
    assert exceptions.all() == ()


def test_removed_group_takes_what_was_for_it_along(exceptions, store):
    """So that a later group of the same name does not inherit it."""
    policy = PolicyStore(store, "Bob")
    policy.put_group(Group("lab", ("192.0.2.0/24",)))
    now = datetime.now(UTC)
    ahead = PolicyException(SUBJECT, now + DAY, "r", "Ann", group="lab")
    approved, requested = exceptions.put(ahead, now), exceptions.request(ahead, now)
    stays = exceptions.put(PolicyException(SUBJECT, now + DAY, "r", "Ann"), now)
    policy.remove_group("lab")
    assert [one.state for one in exceptions.all()] == [ExceptionState.REVOKED, ExceptionState.REVOKED, stays.state]
    assert "exception 1 on vendor:deepseek for group:lab revoked, since group lab is removed" in said(store)
    assert (approved.id, requested.id) == (1, 2)
