"""Schedules with anything in them: a schedule or a PolicyError comes out, and a schedule can be asked."""

from datetime import UTC, datetime

from sinkhole.errors import PolicyError
from sinkhole.policy.schedule_text import schedule_from_text
from tests.fuzz.mutator import mutations

SEEDS = [
    b"mon-fri 08:00-12:00,13:00-17:30; sat 09:00-12:00; 2026-12-24 00:00-24:00 @Europe/Berlin",
    b"22:00-06:00 @America/New_York",
    b"2026-12-24..2027-01-06 fri-mon 1:00-2:30 @Australia/Lord_Howe",
    b"2999-12-31 23:00-01:00 @Etc/GMT+12",
]
WHEN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_mutated_schedules_are_read_or_refused():
    read = 0
    for octets in mutations(SEEDS, 14, count=3000, seconds=1.0):
        text = octets.decode("utf-8", "surrogateescape")
        try:
            schedule = schedule_from_text(text)
        except PolicyError:
            continue
        read += 1
        assert schedule_from_text(str(schedule)) == schedule
        edge = schedule.next_edge(WHEN)
        assert edge is None or schedule.holds(edge) is not schedule.holds(WHEN)
    assert read >= len(SEEDS)
