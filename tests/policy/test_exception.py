"""Exceptions: how one stands, and what is wrong with its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sinkhole.policy.exception import MAX_AHEAD, ExceptionState, PolicyException
from sinkhole.policy.override import Override, OverrideKind
from sinkhole.policy.subject import Subject
from tests.policy.world import NOW

SUBJECT = Subject.from_text("vendor:deepseek")
DAY = timedelta(days=1)
ONE = PolicyException(
    SUBJECT, NOW + DAY, "paper", "Ann", "192.0.2.7", None, "IT-1", 12, ExceptionState.APPROVED, "Bob", NOW, NOW
)


@pytest.mark.parametrize("state", ExceptionState)
def test_time_ends_what_is_open_and_changes_nothing_else(state):
    one = replace(ONE, state=state)
    assert one.state_at(NOW) is state
    is_open = state in (ExceptionState.REQUESTED, ExceptionState.APPROVED)
    assert one.state_at(NOW + DAY) is (ExceptionState.EXPIRED if is_open else state)


def test_as_policy_takes_it():
    assert ONE.to_override() == Override(
        OverrideKind.EXCEPTION, 12, (SUBJECT,), NOW + DAY, None, "192.0.2.7", None, "paper", "Ann"
    )
    assert (ONE.to_override().name, ONE.to_override().scope) == ("exception:12", "client:192.0.2.7")


def test_as_a_file_has_it():
    assert ONE.plain() == PolicyException(
        SUBJECT, NOW + DAY, "paper", "Ann", "192.0.2.7", ticket="IT-1", state=ExceptionState.APPROVED
    )


@pytest.mark.parametrize(
    ("client", "group", "scope"),
    [("192.0.2.7", None, "client:192.0.2.7"), (None, "lab", "group:lab"), (None, None, "all")],
)
def test_scope_and_identity(client, group, scope):
    one = replace(ONE, client=client, group=group)
    assert one.scope == scope
    assert one.identity == (SUBJECT, client, group)


def test_own_request_that_was_approved():
    assert not ONE.is_own
    assert replace(ONE, approver="Ann").is_own
    assert not replace(ONE, approver="Ann", state=ExceptionState.DENIED).is_own


def test_end_is_ahead_and_within_a_year():
    assert ONE.mistake_at(NOW) is None
    assert replace(ONE, expires=NOW + MAX_AHEAD).mistake_at(NOW) is None
    assert replace(ONE, expires=NOW).mistake_at(NOW) == "has ended already"
    assert "a year ahead" in (replace(ONE, expires=NOW + MAX_AHEAD + DAY).mistake_at(NOW) or "")
