"""When a statement holds: windows of the wall clock of one time zone.

A schedule holds at exactly the moments at which the wall clock of its zone shows a time inside one of its windows. What
happens on the days on which clocks are changed follows from that:

- Clocks are put forward: a window that begins in the skipped time begins when the clock has passed it, one that ends in
  it ends there; one that lies wholly in it does not hold that day.
- Clocks are put back: a window in the repeated time holds in both passes, and not between them.

An overnight window is that of the day it begins on. Zone data (PEP 615) is the system's, else that of `tzdata`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
_DAY = timedelta(days=1)
_QUIET = timedelta(days=15)
"""What has not changed for so long changes only where a date begins or ends: windows repeat each week, and a change of
clocks hides a window that is shorter than an hour (where a whole day was skipped, one day) one week, never two."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days.

    Attributes:
        start: minute of the day, 0 to 1439.
        end: minute of the day, 1 to 1440, not included; where it is not after the start it is the next day's.
        weekdays: days on which it begins, 0 for Monday.
        first, last: dates between which, both included, it begins; None, both of them, for any.
    """

    start: int
    end: int
    weekdays: frozenset[int] = EVERY_DAY
    first: date | None = None
    last: date | None = None

    @property
    def finish(self) -> int:
        """Minutes from the midnight before its start to its end, up to 2879."""
        return self.end if self.end > self.start else self.end + DAY_MINUTES

    @property
    def order(self) -> tuple[date, date, Sequence[int], int, int]:
        """The key by which windows are sorted: those of any date first."""
        return (self.first or date.min, self.last or date.min, sorted(self.weekdays), self.start, self.end)

    def shows(self, day: date, minute: int) -> bool:
        """Return whether the window that begins on `day` is open `minute` minutes after the midnight of that day."""
        return (
            self.start <= minute < self.finish
            and day.weekday() in self.weekdays
            and (self.first is None or self.first <= day)
            and (self.last is None or day <= self.last)
        )

    @property
    def days(self) -> str:
        """Its days in words (`2026-12-24..2026-12-31 mon-fri`), empty for every day."""
        begin = "" if self.first is None else f"{self.first}"
        end = "" if self.last == self.first else f"..{self.last}"
        return " ".join(words for words in (begin + end, _weekdays_text(self.weekdays)) if words)

    @property
    def hours(self) -> str:
        """Its hours in words (`22:00-06:00`)."""
        return f"{_clock_text(self.start)}-{_clock_text(self.end)}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows, sorted by their order and each once, of the wall clock of one zone."""

    windows: tuple[Window, ...]
    zone: ZoneInfo

    def holds(self, when: datetime) -> bool:
        """Return whether a window is open at an aware time."""
        wall = when.astimezone(self.zone)
        today = wall.date()
        yesterday = today - _DAY
        minute = wall.hour * 60 + wall.minute
        return any(
            window.shows(today, minute) or window.shows(yesterday, minute + DAY_MINUTES) for window in self.windows
        )

    def next_edge(self, when: datetime) -> datetime | None:
        """Return the first moment after an aware time at which `holds` changes, in UTC; None for never.

        Between two changes of clocks, `holds` changes only where the wall clock shows a start or an end.
        """
        marks = sorted({minute % DAY_MINUTES for window in self.windows for minute in (window.start, window.finish)})
        is_held = self.holds(when)
        at = quiet_since = when.astimezone(UTC)
        while True:
            at = self._next_mark(at, marks)
            if self.holds(at) is not is_held:
                return at
            if at - quiet_since > _QUIET:
                date_change = self._next_date_change(at)
                if date_change is None:
                    return None
                # Two days before, since that is no later anywhere on earth.
                begin = datetime.combine(date_change - 2 * _DAY, time(), UTC)
                at = quiet_since = max(at, begin)

    def _next_mark(self, at: datetime, marks: Sequence[int]) -> datetime:
        """Return when the wall clock next shows one of `marks`, or is changed, if that is earlier."""
        wall = at.astimezone(self.zone).replace(tzinfo=None)
        midnight = datetime.combine(wall.date(), time())
        shown = (midnight + timedelta(days=day, minutes=minute) for day in (0, 1) for minute in marks)
        mark = at + (next(moment for moment in shown if moment > wall) - wall)
        return mark if self._offset(mark) == self._offset(at) else self._clock_change(at, mark)

    def _clock_change(self, before: datetime, after: datetime) -> datetime:
        """Return the first moment with another offset than `before`; clocks change once in the time between."""
        offset = self._offset(before)
        low, high = math.floor(before.timestamp()), math.ceil(after.timestamp())
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(datetime.fromtimestamp(middle, UTC)) == offset:
                low = middle
            else:
                high = middle
        return datetime.fromtimestamp(high, UTC)

    def _offset(self, when: datetime) -> timedelta | None:
        return when.astimezone(self.zone).utcoffset()

    def _next_date_change(self, at: datetime) -> date | None:
        """Return the first date after that of `at` from which on other windows count."""
        today = at.astimezone(self.zone).date()
        firsts = [window.first for window in self.windows if window.first is not None]
        after_lasts = [window.last + _DAY for window in self.windows if window.last is not None]
        return min((day for day in firsts + after_lasts if day > today), default=None)

    def __str__(self) -> str:
        parts = (
            f"{days} {','.join(window.hours for window in windows)}".lstrip()
            for days, windows in groupby(self.windows, key=lambda window: window.days)
        )
        return f"{'; '.join(parts)} @{self.zone.key}"


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _weekdays_text(weekdays: frozenset[int]) -> str:
    """Return `mon-fri,sun`; empty for every day."""
    if weekdays == EVERY_DAY:
        return ""
    runs: list[list[int]] = []
    for day in sorted(weekdays):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(_run_text([WEEKDAYS[day] for day in run]) for run in runs)


def _run_text(names: Sequence[str]) -> str:
    return f"{names[0]}-{names[-1]}" if len(names) > 2 else ",".join(names)
