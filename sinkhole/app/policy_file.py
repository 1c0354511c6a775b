"""Policy as a file: groups, statements, exceptions and expectations, written as TOML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sinkhole.app.policy_text import (
    Block,
    Piece,
    blocks_of,
    changed_table,
    lines_of,
    rewritten,
    table_text,
)
from sinkhole.errors import PolicyError
from sinkhole.policy.exception import PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.verdict import BlockMode

HEAD = "# The policy of a Sinkhole; `sinkhole policy apply FILE` puts it in force.\n"
KINDS = ("groups", "statements", "exceptions", "expectations")
Item = Group | Statement | PolicyException | Expectation


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a file says.

    Statements have number 0, exceptions are plain and members in order, so that what says the same is equal.
    """

    groups: tuple[Group, ...] = ()
    statements: tuple[Statement, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    exceptions: tuple[PolicyException, ...] = ()

    def items(self, kind: str) -> Sequence[Item]:
        """Return what is in the tables of one kind."""
        found: dict[str, Sequence[Item]] = dict(
            zip(KINDS, (self.groups, self.statements, self.exceptions, self.expectations), strict=True)
        )
        return found[kind]

    def in_order(self) -> "PolicyFile":
        """Return the same in the one order in which it is printed."""
        return PolicyFile(
            tuple(sorted(self.groups, key=lambda group: group.name)),
            tuple(sorted(self.statements, key=lambda s: (-s.subject.kind, s.subject.value, s.group or ""))),
            tuple(sorted(self.expectations, key=lambda expectation: expectation.question)),
            tuple(sorted(self.exceptions, key=_exception_order)),
        )

    def without_ended(self, now: datetime) -> "PolicyFile":
        """Return the same without the exceptions that have ended: the store no longer has them in force either."""
        return replace(self, exceptions=tuple(one for one in self.exceptions if one.expires > now))


def _exception_order(one: PolicyException) -> tuple[int, str, str, str]:
    return (-one.subject.kind, one.subject.value, one.group or "", one.client or "")


def text_of(policy: PolicyFile) -> str:
    """Return a policy as the text of a file: the same policy, the same text."""
    ordered = policy.in_order()
    return "\n".join([HEAD, *(table_text(kind, fields_of(item)) for kind, item in _items(ordered))])


def updated_text(text: str, was: PolicyFile, wanted: PolicyFile) -> str:
    """Return the text of a file that says `wanted`; what did not change keeps its words, comments and place.

    Args:
        text: of the file.
        was: what it says.

    Raises:
        PolicyError: its tables are not written as `[[groups]]`, `[[statements]]` and so on.
    """
    lines = lines_of(text)
    blocks = blocks_of(text)
    pieces: list[Piece] = []
    added: dict[str, list[str]] = {}
    for kind in KINDS:
        here = [block for block in blocks if block.kind == kind]
        if len(here) != len(was.items(kind)):
            raise PolicyError(f"{kind}: only a file with tables such as [[{kind}]] can be updated")
        new = {identity(item): item for item in wanted.in_order().items(kind)}
        for block, item in zip(here, was.items(kind), strict=True):
            pieces.append(
                Piece(block, _rewritten("".join(_lines(lines, block)), kind, item, new.pop(identity(item), None)))
            )
        added[kind] = [table_text(kind, fields_of(item)) for item in new.values()]
    return rewritten(text, pieces, added)


def _lines(lines: Sequence[str], block: Block) -> Sequence[str]:
    return lines[block.start : block.end]


def _rewritten(text: str, kind: str, was: Item, wanted: Item | None) -> str | None:
    if wanted is None or wanted == was:
        return None if wanted is None else text if text.endswith("\n") else text + "\n"
    return changed_table(text, kind, fields_of(was), fields_of(wanted))


def identity(item: Item) -> object:
    """Return what makes two items the same one, changed: a name, a subject and scope, a question."""
    match item:
        case Group():
            return item.name
        case Statement():
            return (item.subject, item.group, item.schedule)
        case PolicyException():
            return item.identity
        case Expectation():
            return item.question


def fields_of(item: Item) -> dict[str, Any]:
    """Return the keys and values of an item in a file; what is as if left out is left out."""
    match item:
        case Group():
            fields: dict[str, Any] = {"name": item.name, "members": list(item.members), "order": item.order}
            if item.answer is not None:
                fields["mode"] = item.answer.mode.value
                if item.answer.mode is BlockMode.ADDRESS:
                    fields |= {"ipv4": item.answer.ipv4, "ipv6": item.answer.ipv6}
        case Statement():
            fields = {
                "subject": str(item.subject), "action": str(item.action), "group": item.group, "reason": item.reason,
                "owner": item.owner, "ticket": item.ticket, "expires": item.expires,
                "schedule": None if item.schedule is None else str(item.schedule),
                "basis": None if item.basis is None else item.basis.value,
            }  # fmt: skip
        case PolicyException():
            fields = {
                "subject": str(item.subject), "client": item.client, "group": item.group, "reason": item.reason,
                "owner": item.owner, "ticket": item.ticket, "expires": item.expires,
            }  # fmt: skip
        case Expectation():
            fields = {
                "client": item.client, "group": item.group, "name": item.name, "type": item.qtype, "at": item.at,
                "expect": str(item.expect), "by": None if item.by is None else str(item.by), "why": item.why,
            }  # fmt: skip
    return {key: value for key, value in fields.items() if value is not None}


def _items(policy: PolicyFile) -> Iterator[tuple[str, Item]]:
    for kind in KINDS:
        for item in policy.items(kind):
            yield kind, item


def title_of(item: Item) -> str:
    """Return in words which item it is."""
    match item:
        case Group():
            return f"group {item.name}"
        case Statement():
            return f"statement on {item.subject} for {item.extent}"
        case PolicyException():
            return f"exception on {item.subject} for {item.scope}"
        case Expectation():
            at = "" if item.at is None else f" at {item.at.isoformat()}"
            return f"expectation {item.name} {item.qtype} for {item.who}{at}"
