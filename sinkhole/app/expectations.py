"""The gate for changes of policy: one that breaks an expectation which held is taken back before anything is stored."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sinkhole.app.compiled import compiled_folder
from sinkhole.app.data_dir import running_server
from sinkhole.app.own_suffixes import own_suffixes
from sinkhole.app.state import State, compile_state, reviews_of
from sinkhole.errors import PolicyError
from sinkhole.policy.document import load_document
from sinkhole.policy.engine import Policy
from sinkhole.policy.expectation import broken_of, newly_broken
from sinkhole.policy.image import NameIndex
from sinkhole.policy.override import Override
from sinkhole.policy.statement import Group, Statement
from sinkhole.resolver.blocked import block_answer


class BrokenExpectationError(PolicyError):
    """A change would break an expectation; nothing was changed."""


@contextmanager
def gated(state: State, *, force: bool = False, after: Callable[[], Policy] | None = None) -> Iterator[None]:
    """Make a change of statements, groups and exceptions, in a transaction that is undone if it breaks an expectation.

    What was broken before is not held against it.

    Args:
        force: let it be stored all the same; the audit log says what it breaks.
        after: makes the policy as it is after the change, where that changes names too; None: the names are in force.

    Raises:
        BrokenExpectationError: it breaks one, and is undone.
    """
    expected = state.expectations.all()
    names = names_in_force(state) if expected else None
    with state.store.transaction():
        before = stored_policy_over(state, names) if names else None
        yield
        if names is None or before is None:
            return
        now = datetime.now(UTC)
        changed = stored_policy_over(state, names) if after is None else after()
        broken = newly_broken(broken_of(before, expected, now), broken_of(changed, expected, now))
        if broken and not force:
            told = "\n".join(f"this breaks the expectation {one}" for one in broken)
            raise BrokenExpectationError(f"{told}\nnothing is changed; change the expectations first, or give --force")
        state.expectations.note_override(broken)


def names_in_force(state: State) -> NameIndex:
    """Return the compiled names in force; where there are none, and no server to make them, they are compiled now.

    Raises:
        SinkholeError: there are none and none can be made.
    """
    folder = compiled_folder(state.folder)
    try:
        return NameIndex.open(folder / load_document(folder).image)
    except PolicyError:
        if running_server(state.folder):
            raise
        compile_state(state)
        return NameIndex.open(folder / load_document(folder).image)


def policy_over(
    state: State,
    names: NameIndex,
    statements: Sequence[Statement],
    groups: Sequence[Group],
    overrides: Sequence[Override] = (),
) -> Policy:
    """Return the policy that these statements, groups and exceptions make over compiled names."""
    suffixes, answer = own_suffixes(state.settings), block_answer(state.settings.blocking)
    reviews = reviews_of(state, statements, suffixes)
    return Policy(names, statements, groups, answer, 0, overrides=overrides, suffixes=suffixes, reviews=reviews)


def stored_policy_over(state: State, names: NameIndex) -> Policy:
    """Return the policy that the store says, with its exceptions, over compiled names."""
    return policy_over(state, names, state.policy.statements(), state.policy.groups(), state.lasting_overrides())
