"""What a policy file changes is stored as a whole, on what it was compared with, or not at all."""

import pytest

from sinkhole.app import data_dir
from sinkhole.app.policy_changes import changes, store_policy, stored_policy
from sinkhole.app.policy_file import PolicyFile
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError
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
