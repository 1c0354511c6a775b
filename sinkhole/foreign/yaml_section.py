"""A mapping of a YAML file with its path: its values, each of the kind that is wanted, or a mistake with its line."""

from collections.abc import Iterator

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import Foreign, Place
from sinkhole.foreign.yaml_tree import Node

_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_NAMED = 12
"""Keys that a note on settings names; the rest is counted."""


class Section:
    """One mapping, or a list of them; `path` is how people write where it stands.

    Everything in it that nobody asks for can be told afterwards.
    """

    def __init__(self, file: str, path: str, node: Node) -> None:
        self.file = file
        self.path = path
        self._node = node

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.file, self._node.line, self.path)

    def place_of(self, key: str) -> Place:
        """Return where the value of a key stands; the section itself where there is none."""
        node = self._values().get(key)
        return Place(self.file, node.line if node else self._node.line, self._path(key))

    def names(self) -> list[str]:
        """Return all keys."""
        return list(self._values())

    def text(self, key: str, default: str = "") -> str:
        """Return a text, number or flag as it is written."""
        node = self._take(key)
        if node is None or node.value is None:
            return default
        if not isinstance(node.value, str):
            raise self._mistake(key, node, "a text")
        return node.value

    def flag(self, key: str, default: bool) -> bool:
        """Return a flag."""
        node = self._take(key)
        if node is None or node.value is None:
            return default
        word = node.value.lower() if isinstance(node.value, str) else ""
        if word not in (*_TRUE, *_FALSE):
            raise self._mistake(key, node, "true or false")
        return word in _TRUE

    def section(self, key: str) -> "Section":
        """Return the mapping of a key; an empty one where there is none."""
        node = self._take(key)
        if node is None or node.value is None:
            return Section(self.file, self._path(key), Node(self._node.line, {}))
        if not isinstance(node.value, dict):
            raise self._mistake(key, node, "a mapping")
        return Section(self.file, self._path(key), node)

    def sections(self, key: str) -> Iterator["Section"]:
        """Yield the mappings in the list of a key."""
        for number, node in enumerate(self._list(key)):
            path = f"{self._path(key)}[{number}]"
            if not isinstance(node.value, dict):
                raise ForeignFileError(f"{Place(self.file, node.line, path)}: wanted a mapping; found {node.kind}")
            yield Section(self.file, path, node)

    def texts(self, key: str) -> list[tuple[str, Place]]:
        """Return the texts in the list of a key, each with its place; a text alone counts as a list of one."""
        node = self._values().get(key)
        if node is not None and isinstance(node.value, str):
            self._take(key)
            return [(node.value, Place(self.file, node.line, self._path(key)))]
        found = []
        for number, one in enumerate(self._list(key)):
            place = Place(self.file, one.line, f"{self._path(key)}[{number}]")
            if not isinstance(one.value, str):
                raise ForeignFileError(f"{place}: wanted a text; found {one.kind}")
            found.append((one.value, place))
        return found

    def is_list(self, key: str) -> bool:
        """Return whether the value of a key is a list."""
        node = self._values().get(key)
        return node is not None and isinstance(node.value, list)

    def note_unused(self, into: Foreign, why: str) -> None:
        """Note, in one note, the keys that nobody asked for."""
        unused = [key for key in self._values() if key not in self._node.used]
        if not unused:
            return
        more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
        first = self._values()[unused[0]]
        into.leave_out(Place(self.file, first.line, self.path), f"{', '.join(unused[:_NAMED])}{more}", why)

    def _values(self) -> dict[str, Node]:
        return self._node.value if isinstance(self._node.value, dict) else {}

    def _take(self, key: str) -> Node | None:
        self._node.used.add(key)
        return self._values().get(key)

    def _list(self, key: str) -> list[Node]:
        node = self._take(key)
        if node is None or node.value is None:
            return []
        if not isinstance(node.value, list):
            raise self._mistake(key, node, "a list")
        return node.value

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _mistake(self, key: str, node: Node, wanted: str) -> ForeignFileError:
        return ForeignFileError(f"{Place(self.file, node.line, self._path(key))}: wanted {wanted}; found {node.kind}")


def root_section(root: Node, file: str) -> Section:
    """Return the top mapping of a file; raises ForeignFileError where it is none."""
    if not isinstance(root.value, dict):
        raise ForeignFileError(f"{file}: wanted a mapping of settings; found {root.kind}")
    return Section(file, "", root)
