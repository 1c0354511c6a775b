"""Expectations: what holds, what does not, and why not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sinkhole.errors import FormError
from sinkhole.policy.expectation import Broken, Expectation, broken_of, newly_broken
from sinkhole.policy.rule import Condition, Match, Rule
from sinkhole.policy.statement import Group
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from tests.policy.world import AAAA, NOW, listed, make_policy, statement

LAB = Group("lab", ("192.0.2.0/24",))
ALLOWED = Expectation("deepseek.example", Action.ALLOW)
BLOCKED = Expectation("deepseek.example", Action.BLOCK)


def found(policy, expectation, now=NOW) -> str | None:
    broken = broken_of(policy, [expectation], now)
    return broken[0].found if broken else None


def test_each_client_is_judged_by_its_own_policy():
    policy = make_policy(["block ai", "allow vendor:deepseek for lab"], groups=[LAB])
    assert found(policy, BLOCKED) is None
    assert found(policy, replace(ALLOWED, client="192.0.2.7")) is None
    assert found(policy, replace(ALLOWED, group="lab")) is None
    assert found(policy, replace(BLOCKED, client="198.51.100.1")) is None
    said = found(policy, replace(BLOCKED, group="lab"))
    assert said == "allow by vendor:deepseek for group:lab, for deepseek.example and below"


def test_group_that_is_gone_is_broken():
    assert found(make_policy(["block ai"]), replace(BLOCKED, group="lab")) == "no group 'lab'"


def test_nothing_said_is_allowed():
    policy = make_policy([])
    assert found(policy, ALLOWED) is None
    assert found(policy, BLOCKED) == "allow, since no statement reaches it"


def test_statement_that_decides_may_be_named():
    policy = make_policy(["block jurisdiction:CN", "block ai"])
    assert found(policy, replace(BLOCKED, by=Subject.from_text("jurisdiction:CN"))) is None
    said = found(policy, replace(BLOCKED, by=Subject.from_text("vendor:deepseek")))
    assert said == "block by jurisdiction:CN for all, for deepseek.example and below"
    assert (
        found(make_policy([]), replace(ALLOWED, by=Subject.from_text("ai"))) == "allow, since no statement reaches it"
    )


def test_row_of_a_list_is_told_with_its_line():
    policy = make_policy(["block feed:ours"], listed("ours", "x.example", "y.example"))
    said = found(policy, Expectation("a.y.example", Action.ALLOW))
    assert said is not None
    assert said.endswith("in line 2 of feed ours")
    assert said.startswith("block by feed:ours for all")


def test_time_is_that_of_the_expectation_else_now():
    ends = NOW + timedelta(days=1)
    policy = make_policy([statement(1, "block ai"), statement(2, "allow vendor:deepseek", expires=ends)])
    assert found(policy, ALLOWED) is None
    assert found(policy, ALLOWED, ends) is not None
    assert found(policy, replace(ALLOWED, at=NOW), ends) is None
    assert found(policy, replace(BLOCKED, at=ends)) is None


def test_type_and_client_of_rows_count():
    rule = Rule(Match.SUFFIX, "x.example", condition=Condition(qtypes=(AAAA,), clients=("192.0.2.7",)), line=1)
    policy = make_policy(["block feed:ours"], listed("ours", rule))
    assert found(policy, Expectation("x.example", Action.ALLOW, "AAAA")) is None
    assert found(policy, Expectation("x.example", Action.ALLOW, "A", "192.0.2.7")) is None
    assert found(policy, Expectation("x.example", Action.BLOCK, "AAAA", "192.0.2.7")) is None


def test_only_what_a_change_breaks_is_new():
    broken = broken_of(make_policy([]), [BLOCKED], NOW)
    other = Broken(replace(BLOCKED, name="x.example"), "allow")
    assert newly_broken(broken, (*broken, other)) == (other,)
    assert newly_broken((), broken) == broken
    assert newly_broken(broken, ()) == ()


def test_words():
    full = Expectation("x.example", Action.ALLOW, "AAAA", "192.0.2.1", None, NOW, Subject.from_text("ai"), "contract")
    assert str(Broken(full, "block")) == (
        f"x.example AAAA for client 192.0.2.1 at {NOW.isoformat()}: allow by ai (contract); found block"
    )
    assert str(Broken(replace(BLOCKED, group="lab"), "no")) == "deepseek.example A for group lab: block; found no"
    assert str(BLOCKED) == "deepseek.example A for a client in no group: block"


def test_question_tells_expectations_apart():
    same = {BLOCKED.question, ALLOWED.question, replace(BLOCKED, why="x", by=Subject.from_text("ai")).question}
    assert len(same) == 1
    changes = ({"name": "x.example"}, {"qtype": "AAAA"}, {"client": "192.0.2.1"}, {"group": "lab"}, {"at": NOW})
    others = [replace(BLOCKED, **change) for change in changes]
    assert len({one.question for one in (BLOCKED, *others)}) == 6


@pytest.mark.parametrize("wrong", [replace(BLOCKED, name="x..example"), replace(BLOCKED, qtype="NOPE")])
def test_what_cannot_be_asked_is_an_error(wrong):
    with pytest.raises(FormError):
        broken_of(make_policy([]), [wrong], NOW)
