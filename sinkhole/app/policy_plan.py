"""Make the policy what a file says, as the command line and the admin side do it: look first, then all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.app.coach import unseen
from sinkhole.app.expectations import BrokenExpectationError, names_in_force, policy_over
from sinkhole.app.policy_changes import Change, changes, store_policy, stored_policy
from sinkhole.app.policy_file import PolicyFile
from sinkhole.app.policy_reading import Known, read_policy
from sinkhole.app.preview import impacts
from sinkhole.app.state import State
from sinkhole.policy.engine import Policy
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.expectation import Broken, broken_of
from sinkhole.resolver.blocked import block_answer


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy file would do.

    Attributes:
        before, after: the policy now, and then.
        changes: none where there is nothing to do.
        said: in sentences, what it means for recorded queries and known names.
        broken: expectations of the file that would not hold; with one of these it is not done.
    """

    before: PolicyFile
    after: PolicyFile
    changes: tuple[Change, ...]
    said: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()


def policy_from_text(state: State, text: str, where: str) -> PolicyFile:
    """Read a policy file against what this installation has.

    Args:
        where: what the file is called.

    Raises:
        PolicyError: with every mistake, one a line.
    """
    lists = [feed.name for feed, _ in state.feeds.all() if feed.key is None]
    answer = block_answer(state.settings.blocking)
    return read_policy(text, where, Known(state.catalogue().catalogue, lists, state.policy.groups(), answer))


def policy_of_file(state: State, policy: PolicyFile) -> Policy:
    """Return the policy that a file makes over the names in force."""
    lasting = [one.to_override() for one in policy.exceptions]
    return policy_over(state, names_in_force(state), policy.statements, policy.groups, lasting)


def plan(state: State, text: str, where: str, now: datetime) -> Plan:
    """Tell what a policy file would do; nothing is changed.

    Raises:
        PolicyError: it cannot be read.
    """
    before = stored_policy(state)
    after = policy_from_text(state, text, where).without_ended(now)
    found = tuple(changes(before, after))
    if not found:
        return Plan(before, after, ())
    old, new = policy_of_file(state, before), policy_of_file(state, after)
    groups = {group.name for group in (*before.groups, *after.groups)}
    said = impacts(state, old, new, groups, now, _clients(found))
    return Plan(before, after, found, tuple(said), broken_of(new, after.expectations, now))


def carry_out(state: State, planned: Plan) -> list[str]:
    """Do what was planned, and return what is to be known of it.

    Raises:
        BrokenExpectationError: an expectation of the file would not hold; nothing is changed.
        PolicyError: the policy is another by now; nothing is changed.
    """
    if planned.broken:
        told = "\n".join(f"broken: {one}" for one in planned.broken)
        raise BrokenExpectationError(f"{told}\nnothing is changed: the expectations of the file would not hold")
    store_policy(state, planned.before, planned.after)
    return unseen(planned.after.statements, planned.after.groups, block_answer(state.settings.blocking))


def _clients(found: Sequence[Change]) -> list[str]:
    """Return the clients that changed exceptions are for."""
    items = [item for change in found for item in (change.before, change.after)]
    return [item.client for item in items if isinstance(item, PolicyException) and item.client is not None]
