"""What a policy file would do, and doing it: read, compared, judged, and stored as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sinkhole.app.coach import unseen
from sinkhole.app.expectations import names_in_force, policy_over
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
class PolicyPlan:
    """What is to be done.

    Attributes:
        before, after: policy.
        changes: the differences, in the order in which a policy is printed.
        impact: what they mean, in sentences.
        broken: expectations of `after` that it breaks itself: with one of these it is not put in force.
    """

    before: PolicyFile
    after: PolicyFile
    changes: tuple[Change, ...]
    impact: tuple[str, ...]
    broken: tuple[Broken, ...]


def read_file(state: State, text: str, where: str) -> PolicyFile:
    """Read the text of a policy file by what there is in an installation.

    Args:
        where: name of the file, for what is said of it.

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


def plan_policy(state: State, wanted: PolicyFile, now: datetime, *, with_recorded: bool = True) -> PolicyPlan:
    """Find out what it would change to make the policy what a file says; exceptions that have ended are left out.

    Args:
        with_recorded: whether the impact tells what was recorded of clients.
    """
    before, after = stored_policy(state), wanted.without_ended(now)
    found = changes(before, after)
    if not found:
        return PolicyPlan(before, after, (), (), ())
    old, new = policy_of_file(state, before), policy_of_file(state, after)
    groups = {group.name for group in (*before.groups, *after.groups)}
    told = impacts(state, old, new, groups, now, _clients(found), with_recorded=with_recorded)
    return PolicyPlan(before, after, tuple(found), tuple(told), tuple(broken_of(new, after.expectations, now)))


def carry_out(state: State, plan: PolicyPlan) -> list[str]:
    """Store it, and return warnings; `apply` puts it in force.

    Raises:
        PolicyError: the policy was changed since the plan was made; nothing is changed.
    """
    store_policy(state, plan.before, plan.after)
    return unseen(plan.after.statements, plan.after.groups, block_answer(state.settings.blocking))


def _clients(found: Sequence[Change]) -> list[str]:
    """Return the clients that changed exceptions are for."""
    items = [item for change in found for item in (change.before, change.after)]
    return [item.client for item in items if isinstance(item, PolicyException) and item.client is not None]
