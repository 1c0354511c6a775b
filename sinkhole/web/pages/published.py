"""The policy that the workers answer by: read as it was published, so that looking at a page compiles nothing."""

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.state import State
from sinkhole.policy.document import load_policy
from sinkhole.policy.engine import Policy


def published_policy(state: State) -> Policy:
    """Return it.

    Raises:
        PolicyError: none is published, or it is damaged.
    """
    return load_policy(compiled_folder(state.folder))
