"""Read one log of any format, and count what could not be read."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sinkhole.errors import LogError, LogFormatError
from sinkhole.logs import pihole
from sinkhole.logs.clock import Clock
from sinkhole.logs.octets import LogSource
from sinkhole.logs.query import LogFormat, Query
from sinkhole.logs.text_formats import TEXT_FORMATS, detect, format_of

FORMAT_NAMES: Final = (pihole.NAME, *(one.name for one in TEXT_FORMATS))
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What a log was.

    Attributes:
        name: of the file.
        title: of its format.
        lines: lines or rows, empty ones too.
        unreadable: those that are none of its format; `first_unreadable` is the number of the first, `why` and
            `excerpt` say more of it.
        untimed: lines that told no time, taken as of when the file was last written.
    """

    name: str
    title: str
    lines: int
    unreadable: int
    first_unreadable: int | None
    why: str
    excerpt: str
    untimed: int


class LogReading:
    """One log that is read.

    Args:
        path: None for standard input.
        zone: of times without an offset.
        wanted: name of a format of `FORMAT_NAMES`; None to find out.
        tick: called now and then while it is read.

    Raises:
        LogError: it cannot be opened, or nothing tells its format.
    """

    def __init__(
        self, path: Path | None, zone: dt.tzinfo, wanted: str | None = None, tick: Callable[[], None] = lambda: None
    ) -> None:
        self._tick = tick
        self._source = LogSource(path)
        self._clock = Clock(zone, self._source.written)
        try:
            self._database, self._format = self._find(wanted)
        except LogError:
            self._source.close()
            raise
        self._lines = self._unreadable = 0
        self._first: tuple[int, str, str] | None = None

    def _find(self, wanted: str | None) -> tuple[pihole.PiholeDatabase | None, LogFormat | None]:
        source = self._source
        if source.is_database:
            if wanted not in (None, pihole.NAME) or source.path is None:
                raise LogError(f"{source.name}: is an SQLite database, which {wanted} is not")
            return pihole.PiholeDatabase(source.path, self._tick), None
        if wanted == pihole.NAME:
            raise LogError(f"{source.name}: is no SQLite database")
        if wanted is not None:
            return None, format_of(wanted)
        if not source.head.strip():
            return None, None
        return None, detect(source.head_lines(), self._clock, source.name)

    @property
    def size(self) -> int | None:
        """How much there is to read: octets, or rows; None where that is not known."""
        return self._source.size if self._database is None else self._database.newest

    @property
    def position(self) -> int:
        """How much of it was read."""
        return self._source.position if self._database is None else self._database.last

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def queries(self) -> Iterator[Query]:
        """Yield all queries, as they come; an empty log has none.

        Raises:
            LogError: it cannot be read further.
        """
        if self._database is not None:
            yield from self._database.queries()
        elif self._format is not None:
            yield from self._of_text(self._format)

    def _of_text(self, log_format: LogFormat) -> Iterator[Query]:
        read = log_format.open(self._clock)
        for block in self._source.blocks():
            for number, line in enumerate(block, self._lines + 1):
                try:
                    query = read(line)
                except LogFormatError as error:
                    self._note(number, line, str(error))
                    continue
                if query is not None:
                    yield query
            self._lines += len(block)
            self._tick()

    def _note(self, number: int, line: str, why: str) -> None:
        """Count a line that cannot be read; empty lines and comments are nothing wrong."""
        if not line.strip() or line[:1] == "#":
            return
        self._unreadable += 1
        if self._first is None:
            self._first = (number, why, line.strip()[:_SHOWN])

    def summary(self) -> LogSummary:
        """Return what the log was, as far as it was read."""
        name = self._source.name
        if self._database is not None:
            found = self._database
            return LogSummary(name, pihole.TITLE, found.rows, found.unreadable, found.first_unreadable, "", "", 0)
        title = "empty" if self._format is None else self._format.title
        number, why, excerpt = self._first or (None, "", "")
        return LogSummary(name, title, self._lines, self._unreadable, number, why, excerpt, self._clock.missing)
