"""Policy as a file: export it, see what another one would change, put it in force; and the expectations in it."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from sinkhole.app.expectations import BrokenExpectationError, names_in_force, stored_policy_over
from sinkhole.app.policy_changes import Change, stored_policy
from sinkhole.app.policy_file import fields_of, text_of
from sinkhole.app.policy_plan import PolicyPlan, carry_out, plan_policy, read_file
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.policy.expectation import Expectation, broken_of
from sinkhole.web.actor import Actor
from sinkhole.web.model import Model, Moment, Page, Paged, page_of
from sinkhole.web.problem import RequestError

_NAME = "policy file"
_AREAS = {"groups": "groups", "statements": "policy", "exceptions": "exceptions", "expectations": "policy"}
"""The area of the API that each kind of table is in: a file is no way round a scope."""


class PolicyFileShown(Model):
    """A policy as the text of a file (TOML): the same policy, the same text."""

    text: str


class PolicyFileBody(Model):
    """A policy file."""

    text: Annotated[str, Field(max_length=250_000)] = Field(description="TOML, as `GET /policy/file` gives it.")


class FileChange(Model):
    """One difference; `before` or `after` null: there is no such thing then."""

    kind: str
    said: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, change: Change) -> "FileChange":
        """Return a difference."""
        before, after = (None if item is None else _plain(fields_of(item)) for item in (change.before, change.after))
        return cls(kind=change.kind, said=str(change), before=before, after=after)


class PlanShown(Model):
    """What a file changes, what that means in sentences, and which of its expectations it breaks itself."""

    changes: list[FileChange]
    impact: list[str]
    broken: list[str]

    @classmethod
    def of(cls, plan: PolicyPlan) -> "PlanShown":
        """Return a plan."""
        return cls(
            changes=[FileChange.of(change) for change in plan.changes], impact=list(plan.impact),
            broken=[str(one) for one in plan.broken],
        )  # fmt: skip


class ExpectationShown(Model):
    """What policy is meant to say of a name to a client; `found` null: it does."""

    name: str
    type: str
    client: str | None
    group: str | None
    at: Moment | None
    expect: str
    by: str | None
    why: str | None
    found: str | None = Field(description="What is the case instead.")


def export_policy(state: State) -> PolicyFileShown:
    """Give the policy as a file: groups, statements, exceptions and expectations."""
    return PolicyFileShown(text=text_of(stored_policy(state)))


def plan_policy_file(state: State, body: PolicyFileBody, actor: Actor) -> PlanShown:
    """Tell what a file would change; nothing is changed.

    What it would have done to recorded queries is told to whoever has the right to report hits.
    """
    with_recorded = actor.may(Right.REPORT, "hits")
    wanted = read_file(state, body.text, _NAME)
    return PlanShown.of(plan_policy(state, wanted, datetime.now(UTC), with_recorded=with_recorded))


def apply_policy_file(state: State, body: PolicyFileBody, actor: Actor, notes: list[str]) -> PlanShown:
    """Make the policy what a file says, all of it or nothing.

    It takes the right to manage what it changes: groups, exceptions, and policy for all else. One that breaks an
    expectation of its own is refused.
    """
    wanted = read_file(state, body.text, _NAME)
    plan = plan_policy(state, wanted, datetime.now(UTC), with_recorded=actor.may(Right.REPORT, "hits"))
    _expect_rights(plan.changes, actor)
    if plan.broken:
        told = "\n".join(f"this breaks the expectation {one}" for one in plan.broken)
        raise BrokenExpectationError(f"{told}\nnothing is changed")
    if plan.changes:
        notes.extend(carry_out(state, plan))
    return PlanShown.of(plan)


def list_expectations(state: State, query: Paged) -> Page[ExpectationShown]:
    """List expectations, and of those that are not met what is the case instead; a policy file changes them."""
    expected = state.expectations.all()
    if not expected:
        return Page(items=[], next=None)
    policy = stored_policy_over(state, names_in_force(state))
    broken = {one.expectation: one.found for one in broken_of(policy, expected, datetime.now(UTC))}
    return page_of([_shown(one, broken.get(one)) for one in expected], query, _key)


def _key(one: ExpectationShown) -> str:
    question = "\t".join(map(str, (one.name, one.type, one.client, one.group, one.at)))
    return hashlib.sha256(question.encode()).hexdigest()[:32]


def _shown(one: Expectation, found: str | None) -> ExpectationShown:
    return ExpectationShown(
        name=one.name, type=one.qtype, client=one.client, group=one.group, at=one.at, expect=str(one.expect),
        by=None if one.by is None else str(one.by), why=one.why, found=found,
    )  # fmt: skip


def _expect_rights(found: Sequence[Change], actor: Actor) -> None:
    for area in dict.fromkeys(_AREAS[change.kind] for change in found):
        if not actor.may(Right.MANAGE, area):
            raise RequestError(403, f"this file changes what takes the right to {Right.MANAGE} {area}")


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in fields.items()}
