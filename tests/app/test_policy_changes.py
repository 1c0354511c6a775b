"""What a policy file changes is stored as a whole, on what it was compared with, or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.app import data_dir
from sinkhole.app.policy_changes import changes, store_policy, stored_policy
from sinkhole.app.policy_file import PolicyFile
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action

AI = Subject.from_text("ai")


@pytest.fixture
def state(tmp_path):
    data_dir.prepare(tmp_path)
    found = open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))
    yield found
    found.close()


def test_policy_that_changed_meanwhile_is_left_alone(state):
    before = stored_policy(state)
    state.policy.remove(AI, None)
    now = stored_policy(state)
    with pytest.raises(PolicyError, match="changed by someone else meanwhile"):
        store_policy(state, before, PolicyFile())
    assert stored_policy(state) == now


def test_what_cannot_be_stored_leaves_nothing_behind(state):
    before = stored_policy(state)
    wanted = PolicyFile((Group("lab", ()),), (Statement(0, AI, Action.ALLOW, "nowhere"),))
    with pytest.raises(PolicyError, match="there is no group 'nowhere'"):
        store_policy(state, before, wanted)
    assert stored_policy(state) == before


def test_stored_policy_is_what_was_wanted(state):
    wanted = PolicyFile((Group("lab", ("10.0.0.0/8",), 3),), (Statement(0, AI, Action.ALLOW, "lab", "why"),))
    store_policy(state, stored_policy(state), wanted)
    assert stored_policy(state) == wanted
    assert changes(stored_policy(state), wanted) == []


def exception(days: float = 7, **fields) -> PolicyException:
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    return PolicyException(AI, expires, "why", "Ann", state=ExceptionState.APPROVED, **fields)


def test_exceptions_are_stored_changed_and_revoked(state):
    before = stored_policy(state)
    first = replace(before, exceptions=(exception(), exception(client="192.0.2.7")))
    store_policy(state, before, first)
    assert stored_policy(state) == first.in_order()
    second = replace(before, exceptions=(exception(30),))
    assert [str(change).partition(":")[0] for change in changes(first, second)] == [
        "~ exception on ai for all", "- exception on ai for client",
    ]  # fmt: skip
    store_policy(state, first.in_order(), second)
    assert stored_policy(state) == second
    found = [(one.client, str(one.state), one.approver == state.who) for one in state.exceptions.all()]
    assert found == [(None, "revoked", True), ("192.0.2.7", "revoked", True), (None, "approved", True)]


def test_exception_of_a_group_that_goes_with_it(state):
    before = stored_policy(state)
    with_group = replace(before, groups=(Group("lab", ("10.0.0.0/8",)),), exceptions=(exception(group="lab"),))
    store_policy(state, before, with_group)
    store_policy(state, with_group, before)
    assert stored_policy(state) == before
    assert [str(one.state) for one in state.exceptions.all()] == ["revoked"]


def test_requests_and_what_ended_are_in_no_file(state):
    now = datetime.now(UTC)
    state.exceptions.request(exception(), now)
    state.exceptions.revoke(state.exceptions.put(exception(group="lab"), now).id, now)
    state.exceptions.put(exception(-1), now - timedelta(days=8))
    assert stored_policy(state).exceptions == ()
