"""Read a policy file: all its mistakes at once, each with its line, its table and its key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from sinkhole.app.members import member_text
from sinkhole.app.policy_file import KINDS, Item, PolicyFile, identity, title_of
from sinkhole.app.policy_table import Table
from sinkhole.app.policy_text import key_line, line_of
from sinkhole.app.subjects import nearest, read_subject
from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import PolicyError
from sinkhole.policy.address import client_address
from sinkhole.policy.basis import Basis
from sinkhole.policy.exception import ExceptionState, PolicyException
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.groups import name_mistake as group_name_mistake
from sinkhole.policy.schedule_text import schedule_from_text
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.protocol.types import qtype_from_text, qtype_to_text

_KEYS = {
    "groups": ("name", "members", "order", "mode", "ipv4", "ipv6"),
    "statements": ("subject", "action", "group", "reason", "owner", "ticket", "expires", "schedule", "basis"),
    "exceptions": ("subject", "client", "group", "reason", "owner", "ticket", "expires"),
    "expectations": ("client", "group", "name", "type", "at", "expect", "by", "why"),
}
_ACTIONS = tuple(str(action) for action in Action)
_MODES = tuple(str(mode.value) for mode in BlockMode)
_BASES = tuple(basis.value for basis in Basis)
_I = TypeVar("_I", bound=Item)


@dataclass(frozen=True, slots=True)
class Known:
    """What the words of a file may name: the catalogue, the lists, the groups there are (for their blocked answer).

    `answer` is that of the server, which a group that changes it starts from.
    """

    catalogue: Catalogue
    feeds: Sequence[str]
    groups: Sequence[Group]
    answer: BlockAnswer


def read_policy(text: str, where: str, known: Known) -> PolicyFile:
    """Read the text of a policy file.

    Args:
        where: name of the file, for what is said of it.

    Raises:
        PolicyError: with every mistake, one a line.
    """
    try:
        tables = tomlkit.parse(text).unwrap()
    except ParseError as error:
        raise PolicyError(f"{where}: line {error.line}, column {error.col}: is no TOML: {error}") from error
    except (TOMLKitError, ValueError, TypeError, RecursionError) as error:
        raise PolicyError(f"{where}: is no TOML: {error}") from error
    return _Reading(text, where, known).read(tables)


class _Reading:
    """The reading of one file; collects mistakes."""

    def __init__(self, text: str, where: str, known: Known) -> None:
        self._text = text
        self._where = where
        self._known = known
        self._mistakes: list[tuple[int, str]] = []
        self._groups: tuple[str, ...] = ()

    def read(self, tables: Mapping[str, Any]) -> PolicyFile:
        for key in tables:
            if key not in KINDS:
                self._note(key_line(self._text, key), key, f"is no table of a policy{nearest(key, KINDS)}")
        found = {kind: self._tables(kind, tables.get(kind, [])) for kind in KINDS}
        self._groups = tuple(name for table in found["groups"] if isinstance(name := table.fields.get("name"), str))
        policy = PolicyFile(
            groups=self._all(found["groups"], self._group),
            statements=self._all(found["statements"], self._statement),
            expectations=self._all(found["expectations"], self._expectation),
            exceptions=self._all(found["exceptions"], self._exception),
        )
        if self._mistakes:
            raise PolicyError("\n".join(said for _, said in sorted(self._mistakes, key=lambda mistake: mistake[0])))
        return policy

    def _note(self, line: int | None, path: str, said: str) -> None:
        at = f"line {line}: " if line else ""
        told = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"{self._where}: {at}{path}: {said}")
        self._mistakes.append((line or 0, told))

    def _tables(self, kind: str, found: object) -> list[Table]:
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self._note(key_line(self._text, kind), kind, f"wanted tables, each under a line [[{kind}]]")
            return []
        return [Table(kind, number, fields, self._note_in) for number, fields in enumerate(found)]

    def _all(self, tables: Sequence[Table], read: Callable[[Table], _I | None]) -> tuple[_I, ...]:
        """Read tables; of those with a mistake there is nothing, and of two about the same the second is one."""
        items: list[_I] = []
        seen: dict[object, str] = {}
        for table in tables:
            table.refuse_unknown(_KEYS[table.kind])
            item = read(table)
            if item is None:
                continue
            first = seen.setdefault(identity(item), table.path)
            if first != table.path:
                table.note(None, f"is the {title_of(item)} again, which is {first}")
            items.append(item)
        return tuple(items)

    def _group(self, table: Table) -> Group | None:
        name = table.text("name", wanted=True)
        if name is not None and (mistake := group_name_mistake(name)):
            table.note("name", mistake)
        members = tuple(table.each("members", member_text))
        order = table.number_of("order", 100)
        mode = table.one_of("mode", _MODES)
        addresses = tuple(table.address(key, version) for key, version in (("ipv4", 4), ("ipv6", 6)))
        if mode not in (None, BlockMode.ADDRESS.value) and any(addresses):
            table.note("mode", f"{mode} answers with no address; leave out ipv4 and ipv6")
        if table.is_wrong:
            return None
        return Group(str(name), tuple(sorted(set(members))), order, self._answer(str(name), mode, addresses))

    def _answer(self, name: str, mode: str | None, addresses: tuple[str | None, ...]) -> BlockAnswer | None:
        if mode is None and not any(addresses):
            return None
        answers = {group.name: group.answer for group in self._known.groups}
        base = self._known.answer.of_group(BlockMode(mode or BlockMode.ADDRESS.value), answers.get(name))
        return replace(base, ipv4=addresses[0], ipv6=addresses[1]) if any(addresses) else base

    def _statement(self, table: Table) -> Statement | None:
        subject = table.read("subject", self._subject, wanted=True)
        action = table.one_of("action", _ACTIONS, wanted=True)
        group = self._group_of(table)
        reason, owner, ticket = (table.text(key) for key in ("reason", "owner", "ticket"))
        expires = table.time("expires")
        schedule = table.read("schedule", schedule_from_text)
        basis = table.one_of("basis", _BASES)
        if basis is not None and action in (str(Action.ALLOW), str(Action.MONITOR)):
            table.note("basis", f"is of what blocks; {action} has none")
        if table.is_wrong or subject is None or action is None:
            return None
        return Statement(
            0, subject, Action.from_text(action), group, reason, owner, ticket, expires, schedule,
            Basis(basis) if basis else None,
        )  # fmt: skip

    def _exception(self, table: Table) -> PolicyException | None:
        subject = table.read("subject", self._subject, wanted=True)
        client, group = self._who(table)
        reason, owner = (table.text(key, wanted=True) for key in ("reason", "owner"))
        ticket, expires = table.text("ticket"), table.time("expires")
        if expires is None and "expires" not in table.fields:
            table.note("expires", "is missing")
        if table.is_wrong or subject is None or expires is None:
            return None
        found = PolicyException(
            subject, expires, str(reason), str(owner), client, group, ticket, state=ExceptionState.APPROVED
        )
        now = datetime.now(UTC)
        if expires > now and (mistake := found.mistake_at(now)):
            table.note("expires", mistake)
            return None
        return found

    def _expectation(self, table: Table) -> Expectation | None:
        client, group = self._who(table)
        name = table.read("name", _name, wanted=True)
        qtype = table.read("type", lambda text: qtype_to_text(qtype_from_text(text)))
        expect = table.one_of("expect", _ACTIONS, wanted=True)
        by = table.read("by", self._subject)
        at, why = table.time("at"), table.text("why")
        if table.is_wrong or name is None or expect is None:
            return None
        return Expectation(name, Action.from_text(expect), qtype or "A", client, group, at, by, why)

    def _subject(self, text: str) -> Subject:
        return read_subject(text, self._known.catalogue, self._known.feeds)

    def _who(self, table: Table) -> tuple[str | None, str | None]:
        """Return the client or the group that it is for."""
        client = table.read("client", client_address)
        group = self._group_of(table)
        if client is not None and group is not None:
            table.note("client", "give a client or a group, not both")
        return client, group

    def _group_of(self, table: Table) -> str | None:
        group = table.text("group")
        if group is not None and group not in self._groups:
            table.note("group", f"there is no group {group!r} in this file{nearest(group, self._groups)}")
        return group

    def _note_in(self, table: Table, key: str | None, said: str) -> None:
        path = table.path if key is None else f"{table.path}.{key}"
        self._note(line_of(self._text, table.kind, table.number, key), path, said)


def _name(text: str) -> str:
    name = name_to_text(name_from_text(text)).lower()
    if mistake := name_mistake(name):
        raise PolicyError(f"{text!r} is no name such as chat.example.org: {mistake}")
    return name
