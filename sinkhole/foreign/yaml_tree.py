"""YAML as a tree of nodes with their lines, built from events: nothing in it is ever constructed or executed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from sinkhole.errors import ForeignFileError

MAX_NODES: Final = 1_000_000
MAX_DEPTH: Final = 64
MAX_ALIASES: Final = 10_000
_STANDARD: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
_NULLS: Final = ("", "~", "null", "Null", "NULL")
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    """A scalar (text, None for null), a list or a mapping; `line` counts from 1.

    `used` are the keys that somebody asked for.
    """

    line: int
    value: "str | list[Node] | dict[str, Node] | None"
    used: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        match self.value:
            case None:
                return "nothing"
            case list():
                return "a list"
            case dict():
                return "a mapping"
        return "a text"


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is not at its end yet; of a mapping the key that waits, and what it merges in."""

    node: Node
    key: str | None = None
    key_line: int = 0
    is_merge: bool = False
    merged: dict[str, Node] = field(default_factory=dict)


def read_yaml(text: str, file: str) -> Node:
    """Return the root of the one document in `text`.

    Raises:
        ForeignFileError: it is no YAML, too deep or too large, or has a tag that asks for more than plain values.
    """
    try:
        return _Builder(file).build(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ForeignFileError(f"{file}: {where}is no YAML: {problem}") from error


class _Builder:
    """Builds a tree without recursion, so that no depth of nesting can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._aliases = 0
        self._root: Node | None = None

    def build(self, events: Iterator[Any]) -> Node:
        """Return the root."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.SequenceStartEvent():
                    self._begin(Node(_line(event), []), event)
                case yaml.MappingStartEvent():
                    self._begin(Node(_line(event), {}), event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent() if self._root is not None:
                    raise self._mistake(_line(event), "is a second document; one is wanted")
        if self._root is None:
            raise ForeignFileError(f"{self._file}: is empty")
        return self._root

    def _scalar(self, event: Any) -> None:
        is_plain = not event.style
        node = Node(_line(event), None if is_plain and event.value in _NULLS else event.value)
        self._admit(node, event)
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            # `<<` merges only where it is plain; a key that is null is one, too.
            frame.key, frame.is_merge = event.value, is_plain and event.value == "<<"
            frame.key_line = node.line
        else:
            self._place(node)

    def _begin(self, node: Node, event: Any) -> None:
        self._admit(node, event)
        if len(self._open) >= MAX_DEPTH:
            raise self._mistake(node.line, f"is nested deeper than {MAX_DEPTH} levels")
        frame = self._open[-1] if self._open else None
        if frame is not None and isinstance(frame.node.value, dict) and frame.key is None:
            raise self._mistake(node.line, f"a key is a text; found {node.kind}")
        self._open.append(_Frame(node))

    def _end(self) -> None:
        frame = self._open.pop()
        if isinstance(frame.node.value, dict) and frame.merged:
            frame.node.value = {**frame.merged, **frame.node.value}
        self._place(frame.node)

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._mistake(_line(event), f"there is no anchor {event.anchor!r}")
        if any(frame.node is node for frame in self._open):
            raise self._mistake(_line(event), f"the anchor {event.anchor!r} is within itself")
        if self._aliases > MAX_ALIASES:
            raise self._mistake(_line(event), f"has more than {MAX_ALIASES} aliases")
        self._place(node, _line(event))

    def _admit(self, node: Node, event: Any) -> None:
        if event.tag not in (None, "!") and event.tag not in _TAGS:
            raise self._mistake(node.line, f"the tag {str(event.tag)[:80]!r} is not read")
        self._count(node, 1)
        if event.anchor:
            self._anchors[event.anchor] = node

    def _place(self, node: Node, line: int | None = None) -> None:
        """Put a finished node where it belongs: into what is open, or at the root; `line` is that of an alias."""
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        values = frame.node.value
        if isinstance(values, list):
            values.append(node)
        elif isinstance(values, dict):
            key, frame.key = frame.key, None
            if key is None:
                raise self._mistake(line or node.line, f"a key is a text; found {node.kind}")
            if frame.is_merge:
                self._merge(frame, node)
            elif key in values:
                raise self._mistake(frame.key_line, f"the key {key[:120]!r} is there twice")
            else:
                values[key] = node

    def _merge(self, frame: _Frame, node: Node) -> None:
        for one in node.value if isinstance(node.value, list) else [node]:
            if not isinstance(one.value, dict):
                raise self._mistake(frame.key_line, f"<< takes a mapping; found {one.kind}")
            self._count(one, len(one.value))
            frame.merged = {**one.value, **frame.merged}

    def _count(self, node: Node, more: int) -> None:
        self._nodes += more
        if self._nodes > MAX_NODES:
            raise self._mistake(node.line, f"has more than {MAX_NODES} values")

    def _mistake(self, line: int, said: str) -> ForeignFileError:
        return ForeignFileError(f"{self._file}: line {line}: {said}")


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
