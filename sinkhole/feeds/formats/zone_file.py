"""As much of the zone-file form as policy zones use (RFC 1035, section 5.1): a record a row, owners made relative."""

import re
from dataclasses import dataclass
from typing import Final

from sinkhole.feeds.row import RowError

_MAX_RECORD: Final = 65_536
_MAX_ROWS: Final = 200
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|;.*|[()]|(?:[^\s;()"\\]|\\.)+|["\\]').findall
_TTL = re.compile(r"(?:\d+[smhdw]?)+\Z", re.IGNORECASE).match
_CLASSES: Final = ("IN", "CH", "HS", "CS")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record: its owner below the zone's apex without a final dot, `@` for the apex; its type; its data as text."""

    owner: str
    rtype: str
    data: str


class ZoneFile:
    """Joins rows in brackets, follows `$ORIGIN` and blank owners, and makes owners relative to the apex.

    The apex is the owner of the SOA record, or the first `$ORIGIN`. In a file with neither, owners are triggers as
    they stand.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._rows = 0
        self._depth = 0
        self._is_owner_blank = False
        self._owner: str | None = None
        self._origin = ""
        self._apex: str | None = None

    def read(self, text: str) -> Entry | None:
        """Return the record that ends on this row, None if none does; raises RowError for what is no record."""
        if not self._pieces:
            self._is_owner_blank = text[:1].isspace()
        for piece in _PIECES(text):
            if piece in "()":
                self._depth += 1 if piece == "(" else -1
            elif not piece.startswith(";"):
                self._pieces.append(piece)
        self._rows += 1
        if self._depth > 0 and self._rows <= _MAX_ROWS and len(self._pieces) <= _MAX_RECORD:
            return None
        pieces, depth = self._pieces, self._depth
        self._pieces, self._rows, self._depth = [], 0, 0
        if depth:
            raise RowError("brackets that do not match")
        return self._read_record(pieces) if pieces else None

    def finish(self) -> None:
        """Raise RowError if the last record is still open."""
        if self._depth > 0:
            raise RowError("a bracket is open at the end")

    def _read_record(self, pieces: list[str]) -> Entry | None:
        if pieces[0].startswith("$"):
            self._read_directive(pieces)
            return None
        if not self._is_owner_blank:
            self._owner = self._absolute(pieces.pop(0))
        if self._owner is None:
            raise RowError("a record without an owner")
        while pieces and (_TTL(pieces[0]) or pieces[0].upper() in _CLASSES):
            pieces.pop(0)
        if len(pieces) < 2:
            raise RowError("wanted OWNER [TTL] [IN] TYPE DATA")
        rtype, data = pieces[0].upper(), " ".join(pieces[1:])
        if rtype == "SOA":
            self._apex = self._owner
        return Entry(self._below_apex(self._owner), rtype, data)

    def _read_directive(self, pieces: list[str]) -> None:
        word = pieces[0].upper()
        if word == "$ORIGIN" and len(pieces) == 2:
            self._origin = self._absolute(pieces[1])
            self._apex = self._origin if self._apex is None else self._apex
        elif word != "$TTL":
            raise RowError(f"{pieces[0][:20]} is not followed")

    def _absolute(self, name: str) -> str:
        """Return the name with its origin, without final dot; what has no origin is its own."""
        if name == "@":
            return self._origin
        if name.endswith(".") and not name.endswith("\\."):
            return name[:-1]
        return f"{name}.{self._origin}" if self._origin else name

    def _below_apex(self, name: str) -> str:
        apex = (self._apex or "").lower()
        if not apex:
            return name or "@"
        if name.lower() == apex:
            return "@"
        if name.lower().endswith("." + apex):
            return name[: -len(apex) - 1]
        if self._origin:
            raise RowError("an owner outside the zone")
        # With no $ORIGIN at all the file was meant to be loaded under a name that it does not say.
        return name
