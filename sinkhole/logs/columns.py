"""Comma-separated logs: with a header that names the columns, or without."""

import csv
from collections.abc import Sequence

from sinkhole.errors import LogFormatError


def cells_of(line: str) -> list[str]:
    """Return the cells of a line.

    Raises:
        LogFormatError: it is no CSV.
    """
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], skipinitialspace=True, strict=True))
    except (csv.Error, StopIteration):
        raise LogFormatError("wanted cells with commas between them") from None


class Header:
    """Where the columns are that a format wants.

    Args:
        cells: of the first line.
        wanted: for each column that it may be called so, in lower case, the first that is there.
    """

    def __init__(self, cells: Sequence[str], **wanted: tuple[str, ...]) -> None:
        self.width = len(cells)
        places: dict[str, int] = {}
        for number, cell in enumerate(cells):
            places.setdefault(cell.strip().lower(), number)
        self._places = {
            key: tuple(places[name] for name in names if name in places) for key, names in wanted.items()
        }  # fmt: skip

    def has(self, *keys: str) -> bool:
        """Return whether there is a column for each."""
        return all(self._places[key] for key in keys)

    def cell(self, cells: Sequence[str], key: str) -> str:
        """Return the first cell for a key that has something in it."""
        for place in self._places[key]:
            if cells[place] and cells[place] not in ("-", "None", "NA"):
                return cells[place]
        return ""

    def expect(self, cells: Sequence[str]) -> None:
        """Raise LogFormatError unless there are as many cells as in the header."""
        if len(cells) != self.width:
            raise LogFormatError(f"wanted {self.width} columns; found {len(cells)}")
