"""What a fresh installation would have in its policy and this one never had, since it is older than that."""

from sinkhole.app.state import State
from sinkhole.policy.default import default_statements
from sinkhole.policy.statement import Statement


def new_defaults(state: State) -> tuple[Statement, ...]:
    """Return default statements on subjects that nobody here ever said anything about.

    An upgrade leaves policy alone, and what an administrator removed is not to come back; but he should know.
    """
    ways = state.catalogue().catalogue.bypass
    return tuple(s for s in default_statements(ways) if not state.policy.was_ever_about(s.subject))
