"""Expectations: what policy is meant to say of a name to a client, and where it does not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import qtype_from_text


@dataclass(frozen=True, slots=True)
class Expectation:
    """One question and the verdict that it must get.

    Attributes:
        name, qtype: the question, in words.
        expect: the action; a name that nothing is said about is allowed.
        client: address of who asks; None where `group` says it, or for a client that is in no group.
        group: who asks is a client that is in this group and in no other.
        at: aware time of the question; None: the time at which it is judged.
        by: the subject of the statement that must decide; None for any, or for none.
        why: words for people.
    """

    name: str
    expect: Action
    qtype: str = "A"
    client: str | None = None
    group: str | None = None
    at: datetime | None = None
    by: Subject | None = None
    why: str | None = None

    @property
    def question(self) -> tuple[str, str, str, str]:
        """Name, type, who asks and when: of two expectations with the same, one is too many."""
        return (self.name, self.qtype, self.who, "" if self.at is None else self.at.isoformat())

    @property
    def who(self) -> str:
        """`client ADDRESS`, `group NAME`, or `a client in no group`."""
        if self.client is not None:
            return f"client {self.client}"
        return "a client in no group" if self.group is None else f"group {self.group}"

    def __str__(self) -> str:
        at = "" if self.at is None else f" at {self.at.isoformat()}"
        by = "" if self.by is None else f" by {self.by}"
        return f"{self.name} {self.qtype} for {self.who}{at}: {self.expect}{by}"


@dataclass(frozen=True, slots=True)
class Broken:
    """An expectation that does not hold, and what is the case instead, in words."""

    expectation: Expectation
    found: str

    def __str__(self) -> str:
        why = f" ({self.expectation.why})" if self.expectation.why else ""
        return f"{self.expectation}{why}; found {self.found}"


def broken_of(policy: Policy, expectations: Iterable[Expectation], now: datetime) -> tuple[Broken, ...]:
    """Return the expectations that a policy does not meet at `now`, an aware time.

    Raises:
        FormError: the name or the type of one cannot be read.
    """
    return tuple(Broken(one, found) for one in expectations if (found := _otherwise(policy, one, now)) is not None)


def newly_broken(before: Iterable[Broken], after: Iterable[Broken]) -> tuple[Broken, ...]:
    """Return what is broken after a change and was not before it: for the rest the change is not to blame."""
    known = {broken.expectation for broken in before}
    return tuple(broken for broken in after if broken.expectation not in known)


def _otherwise(policy: Policy, expected: Expectation, now: datetime) -> str | None:
    """Return what is the case instead of what is expected, None where it is as expected."""
    scope = _scope(policy, expected)
    if scope is None:
        return f"no group {expected.group!r}"
    when = now if expected.at is None else expected.at
    wire, qtype = name_from_text(expected.name), qtype_from_text(expected.qtype)
    verdict = policy.decide(wire, qtype, scope, when, client=expected.client)
    by = None if expected.by is None else str(expected.by)
    if verdict.action is expected.expect and by in (None, verdict.subject):
        return None
    return _in_words(verdict)


def _scope(policy: Policy, expected: Expectation) -> Scope | None:
    if expected.group is not None:
        return policy.scope_of_group(expected.group)
    return Scope() if expected.client is None else policy.scope_of(expected.client)


def _in_words(verdict: Verdict) -> str:
    if verdict.subject is None:
        return f"{verdict.action}, since no statement reaches it"
    rule = f", for {verdict.rule}" if verdict.rule else ""
    feed = f" in line {verdict.line} of feed {verdict.feed}" if verdict.feed else ""
    return f"{verdict.action} by {verdict.subject} for {verdict.scope}{rule}{feed}"
