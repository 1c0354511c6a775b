"""The text of a policy file: which lines each table takes, for the line of a mistake, and to leave alone what stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit

_header = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]{1,2}\s*(#.*)?").fullmatch
_needs_no_escape = re.compile(r'[^"\\\x00-\x1f\x7f]*').fullmatch
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one table, by their place from 0.

    Attributes:
        kind: its name, such as `statements`.
        start: the first comment that stands right above the header.
        header: the header.
        end: the place after the last line with a key or value.
    """

    kind: str
    start: int
    header: int
    end: int


def blocks_of(text: str) -> list[Block]:
    """Return the tables of a text, in their order; of one that is no TOML any."""
    lines = lines_of(text)
    found: list[Block] = []
    for place, line in _outside_of_strings(lines):
        header = _header(line)
        if header:
            start, floor = place, found[-1].end if found else 0
            while start > floor and lines[start - 1].lstrip().startswith("#"):
                start -= 1
            found.append(Block(header[1], start, place, place + 1))
        elif found and line.strip() and not line.lstrip().startswith("#"):
            last = found.pop()
            found.append(Block(last.kind, last.start, last.header, place + 1))
    return found


def line_of(text: str, kind: str, number: int, key: str | None = None) -> int | None:
    """Return the line, from 1, of a key of the table `number` (from 0) of its kind, else of its header, else None."""
    same = [block for block in blocks_of(text) if block.kind == kind]
    if number >= len(same):
        return None
    block = same[number]
    for place, line in list(_outside_of_strings(lines_of(text)))[block.header : block.end]:
        if key is not None and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return place + 1
    return block.header + 1


def key_line(text: str, key: str) -> int | None:
    """Return the first line, from 1, that has a key or a table of this name; None where none is found."""
    for place, line in _outside_of_strings(lines_of(text)):
        if re.match(rf"\s*(\[{{1,2}}\s*)?[\"']?{re.escape(key)}[\"']?\s*[\]=.]", line):
            return place + 1
    return None


def table_text(kind: str, fields: Mapping[str, Any]) -> str:
    """Return a table as TOML; keys are bare ones."""
    # A document of one table says the same ten times slower, and a policy may have thousands.
    lines = (f"{key} = {_value_text(value)}\n" for key, value in fields.items())
    return "".join((f"[[{kind}]]\n", *lines))


def _value_text(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value_text, value))}]"
    if isinstance(value, str) and _needs_no_escape(value) and value.isprintable():
        return f'"{value}"'
    text = tomlkit.item(value).as_string()
    if text.isprintable():
        return text
    # Direction marks, which TOML lets stand, would show whoever reviews the file something else than it says.
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def changed_table(text: str, kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the text of one table with the keys changed that differ, and all else as it was."""
    document = tomlkit.parse(text)
    table: Any = document[kind][0]
    for key in before.keys() - after.keys():
        table.remove(key)
    for key, value in after.items():
        if key not in before or before[key] != value:
            table[key] = value
    return tomlkit.dumps(document).rstrip("\n") + "\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes of a table of a text: its new text, as it was, or (None) nothing."""

    block: Block
    text: str | None


def rewritten(text: str, pieces: Sequence[Piece], added: Mapping[str, Sequence[str]]) -> str:
    """Return a text with some tables changed or gone, and new ones after the last of their kind, else at the end."""
    lines = lines_of(text)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    after: dict[int, list[str]] = {}
    for kind, texts in added.items():
        place = max((piece.block.end for piece in pieces if piece.block.kind == kind), default=len(lines))
        after.setdefault(place, []).extend(f"\n{one}" for one in texts)
    by_start = {piece.block.start: piece for piece in pieces}
    out: list[str] = []
    place = 0
    while place < len(lines):
        piece = by_start.get(place)
        if piece is None:
            out.append(lines[place])
            place += 1
        else:
            out += [piece.text] if piece.text is not None else []
            place = piece.block.end
            if piece.text is None and place not in after:
                while place < len(lines) and not lines[place].strip():
                    place += 1
        out += after.pop(place, [])
    out += [one for texts in after.values() for one in texts]
    return "".join(out) if lines else "".join(out).lstrip("\n")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends; only those that are lines to TOML."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _outside_of_strings(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Give each line with its place; those within a string of several lines as empty."""
    within: str | None = None
    for place, line in enumerate(lines):
        was_within = within is not None
        if within is None and not line.lstrip().startswith("#"):
            within = next((quote for quote in _QUOTES if line.count(quote) % 2), None)
        elif within is not None and line.count(within) % 2:
            within = None
        yield place, '"' if was_within else line
