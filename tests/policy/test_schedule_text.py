"""Schedules as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.schedule_text import MAX_CHARACTERS, schedule_from_text

EXAMPLE = "mon-fri 08:00-12:00,13:00-17:30; sat 09:00-12:00; 2026-12-24 00:00-24:00 @Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (EXAMPLE, EXAMPLE),
        ("08:00-12:00 @UTC", "08:00-12:00 @UTC"),
        ("08:00-12:00@UTC", "08:00-12:00 @UTC"),
        (" Mon , FRI  8:00-9:00 , 7:30-8:00 @ UTC ", "mon,fri 07:30-08:00,08:00-09:00 @UTC"),
        ("mon-sun 08:00-12:00 @UTC", "08:00-12:00 @UTC"),
        ("sat-mon 08:00-12:00 @UTC", "mon,sat,sun 08:00-12:00 @UTC"),
        ("sun 08:00-12:00; mon 08:00-12:00 @UTC", "mon 08:00-12:00; sun 08:00-12:00 @UTC"),
        ("tue,wed,thu,sat 08:00-12:00 @UTC", "tue-thu,sat 08:00-12:00 @UTC"),
        ("22:00-00:00 @UTC", "22:00-24:00 @UTC"),
        ("00:00-00:00 @UTC", "00:00-24:00 @UTC"),
        ("22:00-06:00,22:00-06:00 @UTC", "22:00-06:00 @UTC"),
        ("2026-12-24,2026-12-31 08:00-12:00 @UTC", "2026-12-24 08:00-12:00; 2026-12-31 08:00-12:00 @UTC"),
        ("mon 2026-12-24..2027-01-06 08:00-12:00 @UTC", "2026-12-24..2027-01-06 mon 08:00-12:00 @UTC"),
        ("2026-12-24..2026-12-24 08:00-12:00 @Asia/Kolkata", "2026-12-24 08:00-12:00 @Asia/Kolkata"),
        ("08:00-12:00 @Etc/GMT+5", "08:00-12:00 @Etc/GMT+5"),
    ],
)
def test_one_text_for_all_ways_to_write_it(text, written):
    schedule = schedule_from_text(text)
    assert str(schedule) == written
    assert schedule_from_text(written) == schedule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 1: wanted a time zone at the end, such as @Europe/Berlin; found none"),
        ("mon 08:00-12:00", "column 16: wanted a time zone at the end"),
        ("mon @UTC", "column 4: wanted hours such as 08:00-12:00, or 00:00-24:00 for the whole day; found none"),
        ("mon 08:00-12:00; @UTC", "column 17: wanted hours"),
        ("; mon 08:00-12:00 @UTC", "column 1: wanted hours"),
        ("mon 08:00-12:00 tue 08:00-12:00 @UTC",
         "column 17: wanted hours, or ; before the days of another part; found 'tue'"),
        ("mon 08:00-24:01 @UTC",
         "column 5: wanted hours such as 08:00-17:30, from 00:00 to 24:00; found '08:00-24:01'"),
        ("mon 24:00-08:00 @UTC", "column 5: wanted hours"),
        ("mon 08:60-12:00 @UTC", "column 5: wanted hours"),
        ("mon 08:00-12:60 @UTC", "column 5: wanted hours"),
        ("mon 08:00 @UTC", "found '08:00'"),
        ("mon ٠٨:00-12:00 @UTC", "column 5: wanted hours"),
        ("mondays 08:00-12:00 @UTC", "column 1: wanted a weekday (mon, tue, wed, thu, fri, sat, sun)"),
        ("fri,mon-  08:00-12:00 @UTC", "column 5: wanted a weekday"),
        ("24.12.2026 08:00-12:00 @UTC",
         "column 1: wanted a date from 2000-01-01 to 2999-12-31, a weekday or hours; found '24.12.2026'"),
        ("2026-02-29 08:00-12:00 @UTC", "found '2026-02-29'"),
        ("2026-12-24..24 08:00-12:00 @UTC", "column 13: wanted a date"),
        ("2026-12-24..2026-12-23 08:00-12:00 @UTC", "column 1: wanted the earlier date first"),
        ("08:00-09:00; mon 2026-12-24 08:00-12:00 @UTC",
         "column 13: none of the weekdays is between 2026-12-24 and 2026-12-24"),
        ("08:00-12:00 @Europe/Berln", "column 14: there is no time zone 'Europe/Berln'; did you mean Europe/Berlin?"),
        ("08:00-12:00 @europe/berlin", "did you mean Europe/Berlin?"),
        ("08:00-12:00 @Kolkata", "did you mean Asia/Kolkata?"),
        ("08:00-12:00 @", "there is no time zone ''; wanted one such as Europe/Berlin"),
        ("08:00-12:00 @Europe", "there is no time zone 'Europe'"),
        ("08:00-12:00 @../../etc/passwd", "there is no time zone '../../etc/passwd'"),
        ("08:00-12:00 @right/UTC", "there is no time zone 'right/UTC'"),
        ("08:00-12:00 @" + "a" * 500, "there is no time zone"),
        ("08:00-12:00 " * 100 + "@UTC", f"wanted at most {MAX_CHARACTERS} characters; found 1204"),
        ("2026-01-01,2026-01-02 " + "".join(f"{n // 60:02}:{n % 60:02}-12:00," for n in range(40)) + "@UTC",
         "wanted at most 64 windows (days times hours); found 80"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_place(text, said):
    with pytest.raises(PolicyError) as refused:
        schedule_from_text(text)
    assert str(refused.value).startswith("schedule: ")
    assert said in str(refused.value)


pieces = st.sampled_from(
    ["mon", "fri-mon", "08:00-12:00", "22:00-6:00", "2026-12-24", "2026-02-30", "..", "-", ";", ",", " ", "@", "UTC",
     "Europe/Berlin", "24:00", "é", "\0", "٣", "99:99-00:00"]
)  # fmt: skip


@given(st.text(max_size=60) | st.lists(pieces, max_size=12).map("".join) | st.lists(pieces, max_size=8).map(" ".join))
def test_any_text_is_a_schedule_or_a_policy_error(text):
    for whole in (text, f"08:00-12:00 {text}", f"{text} @UTC"):
        try:
            schedule = schedule_from_text(whole)
        except PolicyError:
            continue
        assert schedule_from_text(str(schedule)) == schedule
