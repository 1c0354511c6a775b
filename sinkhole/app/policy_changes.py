"""What a policy file changes: told first, then done in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sinkhole.app.policy_file import KINDS, Item, PolicyFile, fields_of, identity, title_of
from sinkhole.app.state import State
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.statement import Group, Statement

_IN_TITLE: Mapping[type, tuple[str, ...]] = {
    Group: ("name",),
    Statement: ("subject", "group", "schedule"),
    PolicyException: ("subject", "client", "group"),
    Expectation: ("client", "group", "name", "type", "at"),
}
"""Keys that the title of an item tells already."""


def stored_policy(state: State) -> PolicyFile:
    """Return what the store says, as a file would say it."""
    groups = [replace(group, members=tuple(sorted(set(group.members)))) for group in state.policy.groups()]
    statements = [replace(statement, id=0) for statement in state.policy.statements()]
    exceptions = [one.plain() for one in state.exceptions.in_force(datetime.now(UTC))]
    return PolicyFile(tuple(groups), tuple(statements), state.expectations.all(), tuple(exceptions)).in_order()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two policies; None where there is no such thing before, or after."""

    kind: str
    before: Item | None
    after: Item | None

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            sign, item = ("+", self.after) if self.before is None else ("-", self.before)
            return "" if item is None else f"{sign} {title_of(item)}: {_words(item)}"
        old, new = fields_of(self.before), fields_of(self.after)
        changed = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
        told = [f"{key} {_word(old.get(key))} -> {_word(new.get(key))}" for key in changed]
        return f"~ {title_of(self.after)}: {', '.join(told) or 'the same in words'}"


def changes(before: PolicyFile, after: PolicyFile) -> list[Change]:
    """Return what is to be done to make one policy the other, in the order in which a policy is printed."""
    found: list[Change] = []
    for kind in KINDS:
        old = {identity(item): item for item in before.in_order().items(kind)}
        new = {identity(item): item for item in after.in_order().items(kind)}
        found += [
            Change(kind, old.get(key), new.get(key))
            for key in dict.fromkeys((*new, *old))
            if old.get(key) != new.get(key)
        ]
    return found


def store_policy(state: State, before: PolicyFile, after: PolicyFile) -> None:
    """Make the stored policy `after`, with one entry in the audit log for each change, all in one transaction.

    Args:
        before: what the store said when the changes were shown.

    Raises:
        PolicyError: it says something else by now; nothing is changed.
    """
    with state.store.transaction():
        if stored_policy(state) != before:
            raise PolicyError("the policy was changed by someone else meanwhile; look at the differences again")
        found = changes(before, after)
        _put_groups(state, found)
        for change in found:
            match change:
                case Change(after=Statement() as statement):
                    state.policy.put(statement)
                case Change(before=Statement() as statement):
                    state.policy.remove(statement.subject, statement.group, statement.schedule or "always")
                case Change(after=PolicyException() as exception):
                    state.exceptions.put(exception, datetime.now(UTC))
                case Change(before=PolicyException() as exception):
                    _revoke(state, exception)
        for change in found:  # last: a group takes the statements on it along
            if isinstance(change.before, Group) and change.after is None:
                state.policy.remove_group(change.before.name)
        state.expectations.replace(after.expectations)


def _revoke(state: State, gone: PolicyException) -> None:
    now = datetime.now(UTC)
    for one in state.exceptions.in_force(now):
        if one.identity == gone.identity:
            state.exceptions.revoke(one.id, now)


def _put_groups(state: State, found: Sequence[Change]) -> None:
    for change in found:
        if isinstance(change.after, Group):
            state.policy.put_group(change.after)


def _words(item: Item) -> str:
    fields = fields_of(item)
    return ", ".join(f"{key} {_word(value)}" for key, value in fields.items() if key not in _IN_TITLE[type(item)])


def _word(value: object) -> str:
    if value is None:
        return "none"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
