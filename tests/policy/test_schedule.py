"""A schedule holds while the wall clock of its zone shows a time in a window, also where clocks are changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinkhole.policy.schedule import EVERY_DAY, Schedule, Window
from sinkhole.policy.schedule_text import schedule_from_text

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Africa/Casablanca")
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC)),
    "Asia/Kolkata": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "UTC": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Africa/Casablanca": (datetime(2026, 2, 15, 2, tzinfo=UTC), datetime(2026, 3, 22, 2, tzinfo=UTC)),
}
"""Around these the properties look; where clocks are never changed, at other zones' days."""


def held(text: str, begin: str, hours: float) -> list[str]:
    """Return from when to when a schedule holds, in UTC, by asking each minute."""
    schedule = schedule_from_text(text)
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    moments = [start + MINUTE * n for n in range(int(hours * 60))]
    found: list[str] = []
    for before, moment in zip([start - MINUTE, *moments[:-1]], moments, strict=True):
        if schedule.holds(moment) is not schedule.holds(before):
            found.append(f"{'+' if schedule.holds(moment) else '-'}{moment:%a %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "begin", "expected"),
    [
        # several windows, weekdays
        ("mon-fri 08:00-12:00,13:00-17:30 @UTC", "2026-11-26",
         ["+Thu 08:00", "-Thu 12:00", "+Thu 13:00", "-Thu 17:30"]),
        ("mon-wed 08:00-12:00 @UTC", "2026-11-26", []),
        # overnight: of the day it begins on
        ("thu 22:00-06:00 @UTC", "2026-11-26T12:00", ["+Thu 22:00", "-Fri 06:00"]),
        ("wed 22:00-06:00 @UTC", "2026-11-26", ["-Thu 06:00"]),
        ("fri 22:00-06:00 @UTC", "2026-11-26", []),
        ("thu 08:00-08:00 @UTC", "2026-11-26T06:00", ["+Thu 08:00"]),
        # midnight ends the day
        ("thu 22:00-00:00 @UTC", "2026-11-26T12:00", ["+Thu 22:00", "-Fri 00:00"]),
        # dates, with and without weekdays
        ("2026-11-26 09:00-10:00 @UTC", "2026-11-26", ["+Thu 09:00", "-Thu 10:00"]),
        ("2026-11-25 09:00-10:00; 2026-11-27 09:00-10:00 @UTC", "2026-11-26", []),
        ("2026-11-25..2026-11-27 09:00-10:00 @UTC", "2026-11-26", ["+Thu 09:00", "-Thu 10:00"]),
        ("2026-11-25..2026-11-27 fri 09:00-10:00 @UTC", "2026-11-26", []),
        ("2026-11-25 22:00-06:00 @UTC", "2026-11-26", ["-Thu 06:00"]),
        # windows that touch or overlap are one
        ("08:00-10:00,10:00-12:00,09:00-11:00 @UTC", "2026-11-26", ["+Thu 08:00", "-Thu 12:00"]),
        # the wall clock of the zone, half an hour off the hour
        ("thu 09:00-10:00 @Asia/Kolkata", "2026-11-26", ["+Thu 03:30", "-Thu 04:30"]),
        ("thu 23:00-24:00 @America/New_York", "2026-11-26T12:00", ["+Fri 04:00", "-Fri 05:00"]),
    ],
)  # fmt: skip
def test_windows_of_the_wall_clock(text, begin, expected):
    assert held(text, begin, 24) == expected


@pytest.mark.parametrize(
    ("text", "begin", "expected"),
    [
        # Berlin, clocks from 02:00 to 03:00 at 01:00 UTC
        ("02:30-04:00 @Europe/Berlin", "2026-03-29T00:00", ["+Sun 01:00", "-Sun 02:00"]),
        ("01:00-02:30 @Europe/Berlin", "2026-03-29T00:00", ["+Sun 00:00", "-Sun 01:00"]),
        ("02:10-02:50 @Europe/Berlin", "2026-03-29T00:00", []),
        ("00:00-24:00 @Europe/Berlin", "2026-03-29T00:00", []),
        ("sat 22:00-02:30 @Europe/Berlin", "2026-03-28T20:00", ["+Sat 21:00", "-Sun 01:00"]),
        # and back from 03:00 to 02:00 at 01:00 UTC
        ("02:15-02:45 @Europe/Berlin", "2026-10-25T00:00", ["+Sun 00:15", "-Sun 00:45", "+Sun 01:15", "-Sun 01:45"]),
        ("01:00-02:30 @Europe/Berlin", "2026-10-24T22:00", ["+Sat 23:00", "-Sun 00:30", "+Sun 01:00", "-Sun 01:30"]),
        ("02:30-04:00 @Europe/Berlin", "2026-10-25T00:00", ["+Sun 00:30", "-Sun 01:00", "+Sun 01:30", "-Sun 03:00"]),
        ("02:00-03:00 @Europe/Berlin", "2026-10-25T00:00", ["+Sun 00:00", "-Sun 02:00"]),
        ("08:00-12:00 @Europe/Berlin", "2026-10-25T06:00", ["+Sun 07:00", "-Sun 11:00"]),
        # New York
        ("02:30-03:30 @America/New_York", "2026-03-08T05:00", ["+Sun 07:00", "-Sun 07:30"]),
        ("01:00-01:30 @America/New_York", "2026-11-01T03:00", ["+Sun 05:00", "-Sun 05:30", "+Sun 06:00", "-Sun 06:30"]),
        # Lord Howe, half an hour: from 02:00 to 02:30, and back from 02:00 to 01:30
        ("sun 02:15-03:00 @Australia/Lord_Howe", "2026-10-03T15:00", ["+Sat 15:30", "-Sat 16:00"]),
        ("sun 01:45-02:15 @Australia/Lord_Howe", "2026-04-04T14:00",
         ["+Sat 14:45", "-Sat 15:00", "+Sat 15:15", "-Sat 15:45"]),
    ],
)  # fmt: skip
def test_days_on_which_clocks_are_changed(text, begin, expected):
    """R-B14: a skipped hour is passed over; a repeated one holds in both passes."""
    assert held(text, begin, 6) == expected


@pytest.mark.parametrize(
    ("text", "when", "edge"),
    [
        ("mon-fri 08:00-12:00 @Europe/Berlin", "2026-11-27T11:00+00:00", "2026-11-30T07:00+00:00"),
        ("mon-fri 08:00-12:00 @Europe/Berlin", "2026-11-27T10:59:59.5+00:00", "2026-11-27T11:00+00:00"),
        ("mon-fri 08:00-12:00 @Europe/Berlin", "2026-11-27T07:00+01:00", "2026-11-27T07:00+00:00"),
        ("00:00-24:00 @Europe/Berlin", "2026-11-27T11:00+00:00", None),
        ("mon-thu 00:00-24:00; fri-sun 00:00-24:00 @Europe/Berlin", "2026-11-27T11:00+00:00", None),
        # the skipped hour
        ("02:30-04:00 @Europe/Berlin", "2026-03-28T12:00+00:00", "2026-03-29T01:00+00:00"),
        ("sun 02:10-02:50 @Europe/Berlin", "2026-03-22T02:00+00:00", "2026-04-05T00:10+00:00"),
        ("2026-03-29 02:10-02:50 @Europe/Berlin", "2026-03-22T02:00+00:00", None),
        # dates far off, over, and under way
        ("2031-05-01 00:00-24:00 @Europe/Berlin", "2026-03-22T02:00+00:00", "2031-04-30T22:00+00:00"),
        ("2031-05-01 00:00-24:00 @Pacific/Kiritimati", "2026-03-22T02:00+00:00", "2031-04-30T10:00+00:00"),
        ("2026-01-01 00:00-24:00 @Europe/Berlin", "2026-03-22T02:00+00:00", None),
        ("2026-01-01..2030-12-31 00:00-24:00 @Europe/Berlin", "2026-03-22T02:00+00:00", "2030-12-31T23:00+00:00"),
        ("2026-01-01..2030-12-31 08:00-08:00 @Europe/Berlin", "2026-03-22T02:00+00:00", "2031-01-01T07:00+00:00"),
        ("2027-01-01..2030-12-31 sat 22:00-06:00 @UTC", "2026-03-22T02:00+00:00", "2027-01-02T22:00+00:00"),
    ],
)
def test_next_edge(text, when, edge):
    found = schedule_from_text(text).next_edge(datetime.fromisoformat(when))
    assert found == (datetime.fromisoformat(edge) if edge else None)
    assert found is None or found.tzinfo is UTC


def test_day_that_an_island_skipped():
    """Apia went from Thursday to Saturday in 2011: there was no Friday the 30th."""
    schedule = schedule_from_text("fri 08:00-12:00 @Pacific/Apia")
    assert schedule.next_edge(datetime(2011, 12, 23, 23, tzinfo=UTC)) == datetime(2012, 1, 5, 18, tzinfo=UTC)


def test_clock_that_ran_by_the_sun():
    """Offsets of old times have seconds; the change of clocks is found to the second."""
    schedule = schedule_from_text("00:00-24:00; 2999-01-01 00:00-01:00 @Europe/Berlin")
    assert schedule.next_edge(datetime(1893, 3, 31, 12, tzinfo=UTC)) is None
    late = schedule_from_text("00:06-23:00 @Europe/Berlin")
    assert late.next_edge(datetime(1893, 3, 31, 22, 30, tzinfo=UTC)) == datetime(1893, 3, 31, 23, 6, 32, tzinfo=UTC)


hours = st.tuples(st.integers(0, 1439), st.integers(1, 1440)) | st.tuples(
    st.integers(0, 240), st.integers(1, 240)
)  # many near the hours in which clocks are changed
days = st.dates(date(2026, 2, 1), date(2026, 11, 30))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = draw(hours)
    weekdays = draw(st.just(EVERY_DAY) | st.frozensets(st.integers(0, 6), min_size=1))
    if draw(st.integers(0, 3)):
        return Window(start, end, weekdays)
    first = draw(days)
    return Window(start, end, weekdays | {first.weekday()}, first, first + DAY * draw(st.integers(0, 20)))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    found = draw(st.sets(windows(), min_size=1, max_size=4))
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    return Schedule(tuple(sorted(found, key=lambda window: window.order)), zone)


def naive_intervals(schedule: Schedule, around: datetime) -> list[tuple[datetime, datetime]]:
    """Write all windows of some weeks out as from-to on the wall clock."""
    found = []
    for window in schedule.windows:
        for n in range(-24, 25):
            day = around.date() + DAY * n
            midnight = datetime.combine(day, time())
            is_on = day.weekday() in window.weekdays and (window.first is None or window.first <= day <= window.last)
            if is_on:
                length = (window.end - window.start) % 1440 or 1440
                begin = midnight + MINUTE * window.start
                found.append((begin, begin + MINUTE * length))
    return found


def is_held_naively(intervals: list[tuple[datetime, datetime]], schedule: Schedule, when: datetime) -> bool:
    wall = when.astimezone(schedule.zone).replace(tzinfo=None)
    return any(begin <= wall < end for begin, end in intervals)


@pytest.mark.parametrize("change", [0, 1])
@pytest.mark.parametrize("zone", ZONES)
def test_weeks_around_a_change_minute_by_minute(zone, change):
    schedule = schedule_from_text(f"mon-fri 08:00-12:00,13:00-17:30; fri-sun 22:15-02:20; sun 01:40-01:50 @{zone}")
    around = CHANGES[zone][change]
    intervals = naive_intervals(schedule, around)
    for n in range(-10 * 1440, 10 * 1440):
        when = around + MINUTE * n
        assert schedule.holds(when) is is_held_naively(intervals, schedule, when), when


@settings(max_examples=100)
@given(schedules(), st.sampled_from((0, 1)), st.integers(-720, -360) | st.integers(-14_400, 11_520))
def test_holds_is_what_the_wall_clock_shows(schedule, change, begin):
    """R-B14: any schedule, each minute of a day on which clocks are changed, or near one."""
    around = CHANGES[schedule.zone.key][change]
    intervals = naive_intervals(schedule, around)
    for n in range(begin, begin + 1440):
        when = around + MINUTE * n
        assert schedule.holds(when) is is_held_naively(intervals, schedule, when)


@settings(max_examples=100)
@given(schedules(), st.sampled_from((0, 1)), st.integers(-8 * 1440 * 60, 8 * 1440 * 60))
def test_next_edge_is_the_first_minute_at_which_holds_changes(schedule, which, seconds):
    when = CHANGES[schedule.zone.key][which] + timedelta(seconds=seconds)
    edge = schedule.next_edge(when)
    last = when + DAY * 8 if edge is None else min(edge, when + DAY * 8)
    minutes = range(1, int((last - when) / MINUTE) + 1)
    now = schedule.holds(when)
    whole = when.replace(second=0)  # offsets of today are of whole minutes, so all edges are too
    assert all(schedule.holds(whole + MINUTE * n) is now for n in minutes if whole + MINUTE * n < last)
    if edge is not None:
        assert edge > when
        assert edge.second == edge.microsecond == 0
        assert schedule.holds(edge) is not now
        assert schedule.holds(edge - timedelta(microseconds=1)) is now


@given(schedules())
def test_schedule_survives_text(schedule):
    assert schedule_from_text(str(schedule)) == schedule
