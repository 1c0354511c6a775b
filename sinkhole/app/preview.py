"""Look at what a change of policy would do, without making it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sinkhole.app.asked_impact import DAYS, asked_impact
from sinkhole.app.expectations import names_in_force, stored_policy_over
from sinkhole.app.impact import impact
from sinkhole.app.state import State
from sinkhole.policy.engine import Policy
from sinkhole.policy.expectation import broken_of, newly_broken


class _Undone(Exception):  # noqa: N818 - it is no error
    """Raised to take a change back."""


def preview(
    state: State, change: Callable[[], object], clients: Sequence[str] = (), *, with_recorded: bool = True
) -> list[str]:
    """Make a change, take it back, and return in sentences what it would do.

    Args:
        clients: addresses of clients that are told by themselves.
        with_recorded: whether what was recorded of clients is told.

    Raises:
        PolicyError: the change cannot be made.
    """
    names, now = names_in_force(state), datetime.now(UTC)
    before, groups = stored_policy_over(state, names), {group.name for group in state.policy.groups()}
    after = before
    try:
        with state.store.transaction():
            change()
            after = stored_policy_over(state, names)
            groups |= {group.name for group in state.policy.groups()}
            raise _Undone
    except _Undone:
        pass
    expected = state.expectations.all()
    broken = newly_broken(broken_of(before, expected, now), broken_of(after, expected, now))
    told = impacts(state, before, after, groups, now, clients, with_recorded=with_recorded)
    return [*told, *(f"it breaks the expectation {one}" for one in broken)]


def impacts(
    state: State,
    before: Policy,
    after: Policy,
    groups: set[str],
    now: datetime,
    clients: Sequence[str] = (),
    *,
    with_recorded: bool = True,
) -> list[str]:
    """Return in sentences which recorded queries and which known names would get another verdict.

    Args:
        groups: names of the groups there are before or after.
        clients: addresses of clients that are told by themselves.
        with_recorded: whether what was recorded of clients is told: counts of them, and names that they asked for.
    """
    asked = [f"impact {one}" for one in asked_impact(state, before, after, now)] if with_recorded else []
    if not asked and with_recorded:
        asked = [f"impact on recorded queries of the last {DAYS} days: none"]
        if state.settings.record.queries == "blocked":
            asked[0] += " (only what is blocked, coached or monitored is recorded; monitor first to know more)"
    lines = impact(state, before, after, groups, now, clients, with_recorded=with_recorded)
    known = [f"impact {line}" for line in lines]
    return [*asked, *(known or ["no known name gets another verdict"])]
