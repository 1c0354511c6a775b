"""When policy changed, and what it says of a vendor now."""

import time
from datetime import UTC, datetime

import pytest

from sinkhole.app.data_dir import prepare
from sinkhole.app.policy_moves import policy_moves
from sinkhole.app.state import compile_state, open_state, policy_in_force
from sinkhole.app.vendor_verdicts import actions_on, subjects_on, verdicts_on
from sinkhole.config.schema import FeedSettings, ServerSettings, Settings
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import INSERT, entries

ABOUT = Subject(SubjectKind.VENDOR, "deepseek")


@pytest.fixture
def state(tmp_path):
    prepare(tmp_path / "data")
    found = open_state(Settings(server=ServerSettings(data_dir=tmp_path / "data"), feeds=FeedSettings(sync=False)))
    yield found
    found.close()


def test_moves_are_changes_of_what_is_done(state):
    state.policy.put(Statement(0, ABOUT, Action.BLOCK))
    state.policy.put(Statement(0, ABOUT, Action.BLOCK, reason="another reason"))
    state.policy.put(Statement(0, ABOUT, Action.ALLOW))
    state.policy.remove(ABOUT, None)
    moves = policy_moves(state, 0, [ABOUT])
    assert [one.action for one in moves] == [Action.BLOCK, Action.ALLOW, None]
    assert [one.said for one in moves][1:] == [
        "vendor:deepseek: allow for all",
        "vendor:deepseek: statement removed for all",
    ]
    assert policy_moves(state, int(time.time()) + 1) == []
    assert not [one for one in policy_moves(state, 0) if one.subject.kind is SubjectKind.AI], "the beginning is no move"


def test_entries_that_cannot_be_read_are_left_out(state):
    before = len(policy_moves(state, 0))
    with state.store.transaction() as connection:
        (last,) = entries(connection, 1)
        broken = (
            "",
            "[]",
            '{"subject": {"kind": 999, "value": "x"}, "action": 0, "group": null, "id": 1, "reason": null}',
            '{"id": 1}',
        )
        for number, text in enumerate(broken, last.id + 1):
            connection.exec_driver_sql(INSERT, (number, 2**31, "x", "", "policy allow x", None, text or None, None))
    assert len(policy_moves(state, 0)) == before


def test_vendor_has_a_verdict_for_each_product_and_group(state):
    state.policy.put_group(Group("lab", ("192.0.2.0/24",)))
    state.policy.put(Statement(0, ABOUT, Action.ALLOW, group="lab"))
    compile_state(state)
    policy, now = policy_in_force(state.settings), datetime.now(UTC)
    vendor = state.catalogue().catalogue.by_id["deepseek"]
    assert actions_on(policy, vendor, policy.scope_of(""), now)[0] == "block"
    lab = verdicts_on(policy, vendor, policy.scope_of_group("lab"), now)
    assert {one.action for one in lab} >= {"allow"}
    assert [one.product.id for one in lab] == [one.id for one in vendor.products if one.domains]
    about = subjects_on(vendor)
    assert {ABOUT, Subject(SubjectKind.AI), Subject(SubjectKind.JURISDICTION, "CN")} <= about
    assert Subject(SubjectKind.VENDOR, "openai") not in about
