"""The policy that the workers answer by: read as it was published, so that looking at a page compiles nothing."""

from sinkhole.app.state import State
from sinkhole.app.state import published_policy as of_folder
from sinkhole.policy.engine import Policy


def published_policy(state: State) -> Policy:
    """Return it.

    Raises:
        PolicyError: none is published, or it is damaged.
    """
    return of_folder(state.folder)
