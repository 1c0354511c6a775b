"""The weekly pause of AdGuard's blocked services, and the times at which they are blocked instead."""

import re
from zoneinfo import ZoneInfo

from sinkhole.errors import ForeignFileError, PolicyError
from sinkhole.foreign.model import Foreign
from sinkhole.foreign.yaml_section import Section
from sinkhole.foreign.zone_of_machine import local_zone
from sinkhole.policy.schedule import DAY_MINUTES, WEEKDAYS, Schedule, Window
from sinkhole.policy.schedule_text import schedule_from_text

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?").fullmatch


def pause_of(section: Section, into: Foreign) -> Schedule | None:
    """Return when services are not blocked, None for never.

    Raises:
        ForeignFileError: a time is none.
    """
    zone_name = section.text("time_zone", "Local")
    windows = []
    for day, name in enumerate(WEEKDAYS):
        hours = section.section(name)
        start, end = (_minutes(hours, key) for key in ("start", "end"))
        if end > start:
            windows.append(Window(start, end, frozenset({day})))
    if not windows:
        return None
    if zone_name == "Local":
        zone_name = local_zone()
        into.alter(section.place_of("time_zone"), "Local", f"the zone of this machine is taken, {zone_name}")
    try:
        zone = schedule_from_text(f"00:00-24:00 @{zone_name}").zone
    except PolicyError as error:
        raise ForeignFileError(f"{section.place_of('time_zone')}: {error}") from error
    return _schedule(windows, zone)


def rest_of(pause: Schedule) -> Schedule | None:
    """Return the times outside of a pause, None where there are none."""
    windows = []
    for day in range(7):
        here = next((window for window in pause.windows if day in window.weekdays), None)
        start, end = (here.start, here.end) if here else (DAY_MINUTES, DAY_MINUTES)
        if start > 0:
            windows.append(Window(0, start, frozenset({day})))
        if end < DAY_MINUTES:
            windows.append(Window(end, DAY_MINUTES, frozenset({day})))
    return _schedule(windows, pause.zone) if windows else None


def _schedule(windows: list[Window], zone: ZoneInfo) -> Schedule:
    """Return a schedule in the one form in which schedules are kept: equal hours of several days are one window."""
    days: dict[tuple[int, int], set[int]] = {}
    for window in windows:
        days.setdefault((window.start, window.end), set()).update(window.weekdays)
    joined = [Window(start, end, frozenset(weekdays)) for (start, end), weekdays in days.items()]
    return Schedule(tuple(sorted(joined, key=lambda window: window.order)), zone)


def _minutes(hours: Section, key: str) -> int:
    text = hours.text(key, "0s")
    found = _DURATION(text)
    if found is None or not text:
        raise ForeignFileError(f"{hours.place_of(key)}: wanted a duration such as 8h30m; found {text[:60]!r}")
    hour, minute, second, _ = (int(group or 0) for group in found.groups())
    minutes = hour * 60 + minute + second // 60
    if minutes > DAY_MINUTES:
        raise ForeignFileError(f"{hours.place_of(key)}: wanted at most 24h; found {text[:60]!r}")
    return minutes
