"""Read a schedule as people write it.

    mon-fri 08:00-12:00,13:00-17:30; sat 09:00-12:00; 2026-12-24 00:00-24:00 @Europe/Berlin

    schedule = part *( ";" part ) "@" zone
    part     = *( day separator ) hours *( separator hours )
    day      = weekday | weekday "-" weekday | date | date ".." date
    weekday  = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun"      in any letter case; sat-mon is three days
    date     = YYYY-MM-DD                                                 2000 to 2999
    hours    = HH:MM "-" HH:MM                                            00:00 to 24:00
    zone     = a name of the IANA time zone database
    separator = a comma, blanks, or both

A part without a weekday is about all, one without a date about any; with both, its days must be of both. An end that is
not after the start is that of the next day: `22:00-06:00`. `str` of a schedule gives one text for all ways to write it.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sinkhole.errors import PolicyError
from sinkhole.policy.schedule import DAY_MINUTES, EVERY_DAY, WEEKDAYS, Schedule, Window

MAX_CHARACTERS = 1000
MAX_WINDOWS = 64
"""A schedule is asked at each query that its statement is about."""

_ITEM = re.compile(r"[^\s,]+")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"(2[0-9]{3})-([0-9]{2})-([0-9]{2})")
_ZONE = re.compile(r"(?!posix/|right/)[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
"""Without the folders of other zone data that some systems keep beside (leap seconds are counted in `right`)."""
_MAX_ZONE = 64


def schedule_from_text(text: str) -> Schedule:
    """Read a schedule; the grammar is at the head of this file.

    Raises:
        PolicyError: with the column of the mistake; an unknown zone comes with the names that are nearest to it.
    """
    if len(text) > MAX_CHARACTERS:
        raise PolicyError(f"schedule: wanted at most {MAX_CHARACTERS} characters; found {len(text)}")
    body, at, zone = text.rpartition("@")
    if not at:
        raise _mistake(len(text), "wanted a time zone at the end, such as @Europe/Berlin; found none")
    windows: set[Window] = set()
    place = 0
    for part in body.split(";"):
        windows.update(_windows(part, place))
        place += len(part) + 1
    if len(windows) > MAX_WINDOWS:
        raise PolicyError(f"schedule: wanted at most {MAX_WINDOWS} windows (days times hours); found {len(windows)}")
    return Schedule(tuple(sorted(windows, key=lambda window: window.order)), _zone(zone.strip(), len(body) + 1))


def _windows(part: str, place: int) -> Iterator[Window]:
    """Yield the windows of one part; `place` is where it begins."""
    dates: list[tuple[date | None, date | None]] = []
    weekdays: set[int] = set()
    hours: list[tuple[int, int]] = []
    for found in _ITEM.finditer(part):
        item, column = found.group(), place + found.start()
        if ":" in item:
            hours.append(_hours(item, column))
        elif hours:
            raise _mistake(column, f"wanted hours, or ; before the days of another part; found {item!r}")
        elif item[0].isalpha():
            weekdays |= _weekdays(item, column)
        else:
            dates.append(_dates(item, column))
    if not hours:
        hint = "wanted hours such as 08:00-12:00, or 00:00-24:00 for the whole day; found none"
        raise _mistake(place + len(part.rstrip()), hint)
    on = frozenset(weekdays) or EVERY_DAY
    for first, last in dates or [(None, None)]:
        if first is not None and last is not None and not _has_day(first, last, on):
            raise _mistake(place, f"none of the weekdays is between {first} and {last}")
        yield from (Window(start, end, on, first, last) for start, end in hours)


def _has_day(first: date, last: date, weekdays: frozenset[int]) -> bool:
    return any((first + timedelta(n)).weekday() in weekdays for n in range(min(7, (last - first).days + 1)))


def _hours(item: str, column: int) -> tuple[int, int]:
    match = _HOURS.fullmatch(item)
    numbers = [int(group) for group in match.groups()] if match else [99] * 4
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if start >= DAY_MINUTES or end > DAY_MINUTES or numbers[1] > 59 or numbers[3] > 59:
        raise _mistake(column, f"wanted hours such as 08:00-17:30, from 00:00 to 24:00; found {item!r}")
    return start, end or DAY_MINUTES  # midnight ends the day


def _weekdays(item: str, column: int) -> set[int]:
    first, dash, last = item.lower().partition("-")
    names = (first, last) if dash else (first, first)
    if not set(names) <= set(WEEKDAYS):
        raise _mistake(column, f"wanted a weekday ({', '.join(WEEKDAYS)}) or two with a dash between; found {item!r}")
    begin, end = map(WEEKDAYS.index, names)
    return {(begin + n) % 7 for n in range((end - begin) % 7 + 1)}


def _dates(item: str, column: int) -> tuple[date, date]:
    first, dots, last = item.partition("..")
    begin = _date(first, column)
    end = _date(last, column + len(first) + len(dots)) if dots else begin
    if end < begin:
        raise _mistake(column, f"wanted the earlier date first; found {item!r}")
    return begin, end


def _date(text: str, column: int) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match:
            return date(*map(int, match.groups()))
    except ValueError:
        pass  # there is no such day
    raise _mistake(column, f"wanted a date from 2000-01-01 to 2999-12-31, a weekday or hours; found {text!r}")


def _zone(name: str, column: int) -> ZoneInfo:
    if len(name) <= _MAX_ZONE and _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, LookupError):
            pass  # no such file, a folder, or not of zone data; ZoneInfoNotFoundError is a LookupError
    raise _mistake(column, f"there is no time zone {name[:_MAX_ZONE]!r}{_nearest(name[:_MAX_ZONE])}")


@cache
def _zones() -> dict[str, str]:
    """Return the names of all zones by themselves in lower case; to find them, every file of zone data is opened."""
    return {zone.lower(): zone for zone in sorted(available_timezones())}


def _nearest(name: str) -> str:
    known = _zones()
    cities = {zone.rpartition("/")[2]: zone for zone in known}
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    near = near or [cities[city] for city in difflib.get_close_matches(name.lower(), cities, n=1, cutoff=0.7)]
    return f"; did you mean {known[near[0]]}?" if near else "; wanted one such as Europe/Berlin"


def _mistake(place: int, text: str) -> PolicyError:
    return PolicyError(f"schedule: column {place + 1}: {text}")
