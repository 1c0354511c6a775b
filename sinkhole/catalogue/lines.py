"""Where in a vendor file a thing stands: the parser of TOML tells no lines of values that it could read."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*\[\[?\s*([a-z_.]+)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([a-z_]+)\s*=")
_TOLD = re.compile(r" at line (\d+) column \d+$")


def line_of(text: str, said: str) -> int | None:
    """Return the line, from 1, of a vendor file that a mistake is about, or None where it cannot be told.

    Args:
        text: of the file.
        said: the mistake, without the name of the file: what the parser said, or `products[0].domains[1].name: …`, or
            what the lint said, `acme/chat: acme.example: …`.
    """
    lines = text.splitlines()
    if told := _TOLD.search(said):
        return max(1, min(int(told[1]), len(lines)))  # a text that breaks off is wrong behind its last line
    return _line_of_path(lines, said.partition(": ")[0]) or _line_of_value(lines, said)


def _line_of_path(lines: list[str], path: str) -> int | None:
    """Return the line of a key, or of the table that it is missing from."""
    known = dict(_paths(lines))
    while path not in known:
        path, dot, _ = path.rpartition(".")
        if not dot:
            return None
    return known[path]


def _paths(lines: list[str]) -> Iterator[tuple[str, int]]:
    table = ""
    products = domains = -1
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            name = header[1]
            if name == "products":
                products, domains = products + 1, -1
                table = f"products[{products}]"
            elif name == "products.domains":
                domains += 1
                table = f"products[{products}].domains[{domains}]"
            else:
                table = name
            yield table, number
        elif key := _KEY.match(line):
            yield f"{table}.{key[1]}" if table else key[1], number


def _line_of_value(lines: list[str], said: str) -> int | None:
    """Return the first line with a value that a mistake names before it says what is wrong."""
    for value in reversed(said.split(": ")[:-1]):
        for text in (value, value.partition("/")[2]):
            for number, line in enumerate(lines, 1):
                if text and f'"{text}"' in line:
                    return number
    return None
