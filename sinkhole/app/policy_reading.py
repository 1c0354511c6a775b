"""Read a policy file: all its mistakes at once, each with its line, its table and its key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError

from sinkhole.app.policy_file import KINDS, PolicyFile, identity, title_of
from sinkhole.app.policy_text import key_line, line_of
from sinkhole.app.subjects import nearest, network_text, read_subject
from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import FormError, PolicyError
from sinkhole.policy.expectation import Expectation
from sinkhole.policy.groups import name_mistake as group_name_mistake
from sinkhole.policy.groups import parse_client
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action, BlockAnswer, BlockMode
from sinkhole.protocol.names import name_from_text, name_to_text
from sinkhole.protocol.types import qtype_from_text, qtype_to_text

_KEYS = {
    "groups": ("name", "members", "order", "mode", "ipv4", "ipv6"),
    "statements": ("subject", "action", "group", "reason", "owner", "ticket", "expires"),
    "expectations": ("client", "group", "name", "type", "at", "expect", "by", "why"),
}
_ACTIONS = tuple(str(action) for action in Action)
_MODES = tuple(str(mode.value) for mode in BlockMode)
_T = TypeVar("_T")


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
        )
        if self._mistakes:
            raise PolicyError("\n".join(said for _, said in sorted(self._mistakes, key=lambda mistake: mistake[0])))
        return policy

    def _note(self, line: int | None, path: str, said: str) -> None:
        at = f"line {line}: " if line else ""
        self._mistakes.append((line or 0, f"{self._where}: {at}{path}: {said}"))

    def _tables(self, kind: str, found: object) -> list["_Table"]:
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self._note(key_line(self._text, kind), kind, f"wanted tables, each under a line [[{kind}]]")
            return []
        return [_Table(self, kind, number, fields) for number, fields in enumerate(found)]

    def _all(self, tables: "Sequence[_Table]", read: "Callable[[_Table], _T | None]") -> tuple[_T, ...]:
        """Read tables; of those with a mistake there is nothing, and of two about the same the second is one."""
        items: list[_T] = []
        seen: dict[object, int] = {}
        for table in tables:
            table.refuse_unknown()
            item = read(table)
            if item is None:
                continue
            first = seen.setdefault(identity(item), table.number)  # type: ignore[arg-type]
            if first != table.number:
                table.note(None, f"is the {title_of(item)} again, which is {table.path_of(first)}")  # type: ignore[arg-type]
            items.append(item)
        return tuple(items)

    def _group(self, table: "_Table") -> Group | None:
        name = table.text("name", wanted=True)
        if name is not None and (mistake := group_name_mistake(name)):
            table.note("name", mistake)
        members = tuple(table.each("members", network_text))
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
        base = replace(answers.get(name) or self._known.answer, mode=BlockMode(mode or BlockMode.ADDRESS.value))
        return replace(base, ipv4=addresses[0], ipv6=addresses[1]) if any(addresses) else base

    def _statement(self, table: "_Table") -> Statement | None:
        subject = table.read("subject", self._subject, wanted=True)
        action = table.one_of("action", _ACTIONS, wanted=True)
        group = self._group_of(table)
        reason, owner, ticket = (table.text(key) for key in ("reason", "owner", "ticket"))
        expires = table.time("expires")
        if table.is_wrong or subject is None or action is None:
            return None
        return Statement(0, subject, Action.from_text(action), group, reason, owner, ticket, expires)

    def _expectation(self, table: "_Table") -> Expectation | None:
        client = table.read("client", _client)
        group = self._group_of(table)
        if client is not None and group is not None:
            table.note("client", "give a client or a group, not both")
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

    def _group_of(self, table: "_Table") -> str | None:
        group = table.text("group")
        if group is not None and group not in self._groups:
            table.note("group", f"there is no group {group!r} in this file{nearest(group, self._groups)}")
        return group

    def note(self, kind: str, number: int, key: str | None, said: str) -> None:
        """Note a mistake in a table."""
        path = f"{kind}[{number + 1}]" + (f".{key}" if key else "")
        self._note(line_of(self._text, kind, number, key), path, said)


class _Table:
    """One table of a file: gives the values of its keys, and notes what is wrong with them."""

    def __init__(self, reading: _Reading, kind: str, number: int, fields: Mapping[str, Any]) -> None:
        self._reading = reading
        self._kind = kind
        self.number = number
        self.fields = fields
        self.is_wrong = False

    def note(self, key: str | None, said: str) -> None:
        """Note a mistake."""
        self.is_wrong = True
        self._reading.note(self._kind, self.number, key, said)

    def path_of(self, number: int) -> str:
        """Return the path of another table of the kind."""
        return f"{self._kind}[{number + 1}]"

    def refuse_unknown(self) -> None:
        """Note keys that such a table does not have."""
        for key in self.fields:
            if key not in _KEYS[self._kind]:
                near = nearest(key, _KEYS[self._kind]) or f"; there are {', '.join(_KEYS[self._kind])}"
                self.note(key, f"is no key of {self._kind}{near}")

    def text(self, key: str, *, wanted: bool = False) -> str | None:
        """Return a text; None where it is left out."""
        value = self.fields.get(key)
        if value is None:
            if wanted:
                self.note(key, "is missing")
            return None
        if not isinstance(value, str) or not value.strip():
            self.note(key, f"wanted a text; found {value!r}")
            return None
        return value

    def read(self, key: str, read: Callable[[str], _T], *, wanted: bool = False) -> _T | None:
        """Return what a text means."""
        text = self.text(key, wanted=wanted)
        return None if text is None else self._meaning(key, text, read)

    def one_of(self, key: str, words: Sequence[str], *, wanted: bool = False) -> str | None:
        """Return one of some words."""
        text = self.text(key, wanted=wanted)
        if text is not None and text not in words:
            self.note(key, f"wanted one of {', '.join(words)}; found {text!r}{nearest(text, words)}")
            return None
        return text

    def number_of(self, key: str, default: int) -> int:
        """Return a whole number that the store can hold."""
        value = self.fields.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**31:
            self.note(key, f"wanted a whole number such as {default}; found {value!r}")
            return default
        return value

    def time(self, key: str) -> datetime | None:
        """Return a time in UTC, to the second; None where it is left out."""
        value = self.fields.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.note(key, f"wanted a time with its zone, such as 2030-12-31T18:00:00Z without quotes; found {value!s}")
            return None
        try:
            return value.astimezone(UTC).replace(microsecond=0)
        except OverflowError:
            self.note(key, f"{value!s} is out of range")
            return None

    def each(self, key: str, read: Callable[[str], str]) -> list[str]:
        """Return what the texts of a list mean."""
        value = self.fields.get(key)
        if value is None or not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.note(key, "is missing" if value is None else 'wanted a list of texts such as ["10.20.0.0/16"]')
            return []
        return [found for one in value if (found := self._meaning(key, one, read)) is not None]

    def address(self, key: str, version: int) -> str | None:
        """Return an address of one IP version."""

        def read(text: str) -> str:
            found = parse_client(text)
            if found is None or found.version != version or "%" in text:
                raise PolicyError(f"{text!r} is no IPv{version} address")
            return str(found)

        return self.read(key, read)

    def _meaning(self, key: str, text: str, read: Callable[[str], _T]) -> _T | None:
        try:
            return read(text)
        except (PolicyError, FormError) as error:
            self.note(key, str(error))
            return None


def _client(text: str) -> str:
    found = parse_client(text)
    if found is None:
        raise PolicyError(f"{text!r} is no address such as 192.0.2.7 or 2001:db8::7")
    return str(found)


def _name(text: str) -> str:
    name = name_to_text(name_from_text(text)).lower()
    if mistake := name_mistake(name):
        raise PolicyError(f"{text!r} is no name such as chat.example.org: {mistake}")
    return name
