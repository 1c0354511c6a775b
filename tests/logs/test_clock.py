"""Times of logs: years that are not told, zones, and what is no time."""

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import LogFormatError
from sinkhole.logs.clock import Clock, epoch

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(*parts, zone=dt.UTC):
    return dt.datetime(*parts, tzinfo=zone).timestamp()


def clock(*written, zone=dt.UTC):
    return Clock(zone, at(*written))


def test_year_is_the_latest_that_is_not_to_come():
    found = clock(2026, 1, 2, 12)
    assert found.of_line("Dec 31 23:59:58 gw x: y") == at(2025, 12, 31, 23, 59, 58)
    assert found.of_line("Jan  2 11:59:58 gw x: y") == at(2026, 1, 2, 11, 59, 58)
    assert found.of_line("Jan  2 11:59:59 gw x: y") == at(2026, 1, 2, 11, 59, 59)
    assert found.of_line("Jan  3 10:00:00 gw x: y") == at(2026, 1, 3, 10)  # a clock that is ahead
    assert found.of_line("Jan  5 10:00:00 gw x: y") == at(2025, 1, 5, 10)


def test_leap_day_is_of_a_leap_year():
    assert clock(2026, 3, 1).of_line("Feb 29 00:00:01 gw x: y") == at(2024, 2, 29, 0, 0, 1)


def test_times_without_offset_are_of_the_zone():
    found = clock(2026, 11, 24, zone=BERLIN)
    assert found.of_line("Jul 24 12:00:00 gw x: y") == at(2026, 7, 24, 10)
    assert found.of_line("2026-01-24 12:00:00,123 x") == at(2026, 1, 24, 11)
    assert found.of_line("2026-01-24T12:00:00+0500 x") == at(2026, 1, 24, 7)
    assert found.of_line("2026-01-24T12:00:00.5-05:00 x") == at(2026, 1, 24, 17)
    assert found.of_line("24-Jan-2026 12:00:00.123 x") == at(2026, 1, 24, 11)
    assert found.of_line("24/Jan/2026:12:00:00 +0000] x") == at(2026, 1, 24, 12)
    assert found.utc("2026-01-24 12:00:00") == at(2026, 1, 24, 12)
    assert found.utc("2026-01-24T12:00:00.1-05:00") == at(2026, 1, 24, 17)


def test_line_without_a_time_is_as_of_the_file():
    found = clock(2026, 11, 24)
    assert found.of_line("Adding server") is None
    assert found.of_line("[abc] x") is None
    assert found.of_line_or_file("Adding server") == at(2026, 11, 24)
    assert found.missing == 1


@pytest.mark.parametrize("line", ["Feb 30 12:00:00 x", "2026-13-24 12:00:00 x", "31-Nov-2026 25:00:00 x"])
def test_time_that_is_none_is_said(line):
    with pytest.raises(LogFormatError, match="there is no such time"):
        clock(2026, 11, 24).of_line(line)


@pytest.mark.parametrize("number", [1795521600, "1795521600.5", 1795521600000, 1795521600000000000, "1795521600000"])
def test_seconds_and_parts_of_them(number):
    assert epoch(number) // 1 == 1795521600


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "", "x", None, [], 10**400])
def test_number_that_is_no_time(number):
    with pytest.raises(LogFormatError):
        epoch(number)


@given(st.text(max_size=60))
def test_any_text_is_a_time_none_or_the_documented_error(text):
    found = Clock(dt.UTC, at(2026, 11, 24))
    for read in (found.of_line, found.iso, found.utc, epoch):
        try:
            assert read(text) is None or read(text) >= 0 or read is not epoch
        except LogFormatError:
            continue
