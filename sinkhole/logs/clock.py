"""Times of logs as epoch seconds: with and without year, with and without offset."""

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Final

from sinkhole.errors import LogFormatError

MONTHS: Final = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
    "Dec": 12,
}  # fmt: skip
_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:[.,][0-9]+)? ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
_SYSLOG: Final = re.compile(r"([A-Z][a-z]{2}) ([ 0-3][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})\b")
_NAMED_DAY: Final = re.compile(r"([0-9]{1,2})[-/]([A-Z][a-z]{2})[-/]([0-9]{4})[ :]([0-9]{2}):([0-9]{2}):([0-9]{2})")
_BRACKET: Final = re.compile(r"\[([0-9]{9,10})(?:\.[0-9]+)?\]")
_PRIORITY: Final = re.compile(r"<[0-9]{1,3}>(?:1 )?")
_DAY: Final = 86_400
_MAX_YEAR_BACK: Final = 8
"""Years that are tried for a day without one: from one 29 February to the next."""
_KEPT: Final = 4096
LATEST: Final = 2**33
"""Later than any log: the year 2242."""


class Clock:
    """Reads the times of one log.

    Args:
        zone: of times that tell no offset.
        written: epoch seconds when the log was last written. A time without a year is taken as the latest that is not
            after it; a line without a time as of then.
    """

    def __init__(self, zone: dt.tzinfo, written: float) -> None:
        self.zone = zone
        self.written = written
        self.missing = 0
        """Lines that told no time."""
        self._known: dict[str, float] = {}

    def of_line(self, line: str) -> float | None:
        """Return the time that a line begins with, as syslog, journald and most daemons write it; None for none.

        Raises:
            LogFormatError: it begins with a time that there is not.
        """
        first = line[:1]
        if first == "<" and (priority := _PRIORITY.match(line)):
            line = line[priority.end() :]
            first = line[:1]
        if first.isdigit():
            found = _ISO.match(line)
            return self._iso(found) if found else self._named_day(line)
        if first == "[":
            if bracket := _BRACKET.match(line):
                return float(bracket[1])
            found = _ISO.match(line, 1)
            return self._iso(found) if found else None
        return self._syslog(line)

    def of_line_or_file(self, line: str) -> float:
        """Return the time that a line begins with, or when the log was last written."""
        at = self.of_line(line)
        if at is None:
            self.missing += 1
            return self.written
        return at

    def iso(self, text: str) -> float:
        """Read an ISO 8601 time, with a blank or a T; without an offset it is of the zone.

        Raises:
            LogFormatError: it is none.
        """
        found = _ISO.match(text)
        if found is None:
            raise LogFormatError(f"no time such as 2026-11-24 12:00:00: {text[:40]!r}")
        return self._iso(found)

    def utc(self, text: str) -> float:
        """Read a time that is in UTC where it tells no offset; raises LogFormatError where it is none."""
        found = _ISO.match(text)
        return self.iso(text) if found is None or found[4] else self.iso(f"{text[: found.end(3)]}Z")

    def _iso(self, found: re.Match[str]) -> float:
        day, minute, second, offset = found.groups()
        key = f"{day} {minute}{offset or ''}"
        return self._minute(key, lambda: _iso_minute(day, minute, offset, self.zone)) + int(second)

    def _syslog(self, line: str) -> float | None:
        known = self._known.get(line[:12])
        if known is not None and line[12:13] == ":" and line[13:15].isdecimal():
            return known + int(line[13:15])
        found = _SYSLOG.match(line)
        if found is None:
            return None
        month, day, hour, minute, second = found.groups()
        number = MONTHS.get(month)
        if number is None:
            return None
        return self._minute(
            line[:12], lambda: self._latest(number, int(day), int(hour), int(minute))
        ) + int(second)  # fmt: skip

    def _named_day(self, line: str) -> float | None:
        """Read `26-Nov-2026 22:14:44` and `26/Nov/2026:22:15:16 +0000`."""
        found = _NAMED_DAY.match(line)
        if found is None or (month := MONTHS.get(found[2])) is None:
            return None
        day, _, year, hour, minute, second = found.groups()
        offset = line[found.end() + 1 : found.end() + 6]
        iso = f"{year}-{month:02}-{int(day):02}"
        has_offset = offset[:1] in ("+", "-") and offset[1:].isdecimal()
        key = f"{iso} {hour}:{minute}{offset if has_offset else ''}"
        return self._minute(
            key, lambda: _iso_minute(iso, f"{hour}:{minute}", offset if has_offset else None, self.zone)
        ) + int(second)  # fmt: skip

    def civil(self, year: int, month: int, day: int, hour: int, minute: int) -> float:
        """Return the time of a wall clock in the zone; raises LogFormatError where there is no such time."""
        return self._minute(
            f"{year}-{month}-{day} {hour}-{minute}",
            lambda: dt.datetime(year, month, day, hour, minute, tzinfo=self.zone).timestamp(),
        )

    def _latest(self, month: int, day: int, hour: int, minute: int) -> float:
        year = dt.datetime.fromtimestamp(self.written, self.zone).year + 1
        for _ in range(_MAX_YEAR_BACK + 2):
            try:
                at = dt.datetime(year, month, day, hour, minute, tzinfo=self.zone).timestamp()
            except ValueError:
                if not (month == 2 and day == 29):
                    raise
                at = math.inf
            # A day of grace: the clock and the zone of whoever wrote it may be others.
            if at <= self.written + _DAY:
                return at
            year -= 1
        raise ValueError

    def _minute(self, key: str, read: Callable[[], float]) -> float:
        known = self._known.get(key)
        if known is None:
            try:
                known = read()
                if not 0 <= known <= LATEST:
                    raise ValueError
            except (ValueError, OverflowError):
                raise LogFormatError(f"there is no such time as {key!r}") from None
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = known
        return known


def _iso_minute(day: str, minute: str, offset: str | None, zone: dt.tzinfo) -> float:
    naive = dt.datetime.fromisoformat(f"{day}T{minute}")
    if offset is None:
        return naive.replace(tzinfo=zone).timestamp()
    if offset in ("Z", "UTC"):
        return naive.replace(tzinfo=dt.UTC).timestamp()
    return dt.datetime.fromisoformat(f"{day}T{minute}{offset}").timestamp()


def epoch(value: object) -> float:
    """Return a number of seconds, milli-, micro- or nanoseconds since the epoch as seconds.

    Raises:
        LogFormatError: it is no number, or no time.
    """
    try:
        at = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise LogFormatError(f"no time in seconds: {str(value)[:40]!r}") from None
    for _ in range(3):
        if at > LATEST:
            at /= 1000
    if not 0 <= at <= LATEST:
        raise LogFormatError(f"no time in seconds: {str(value)[:40]!r}")
    return at
