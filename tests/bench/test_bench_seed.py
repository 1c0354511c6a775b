"""The made-up network of the measurements: the same for the same seed, and counted as a server counts it."""

import pytest

from bench import pages
from bench.seed import seed, settings_of
from bench.traffic import Traffic
from sinkhole.app.compiled import shipped_catalogue
from sinkhole.app.state import open_state
from sinkhole.store.daily import day_sums
from sinkhole.store.reports import Reports

TODAY = 20_000


def traffic(number=1):
    return Traffic(shipped_catalogue(), TODAY, 300, number, days=3, clients=20)


def test_same_seed_makes_the_same_rows_and_another_others():
    first, same, other = traffic(), traffic(), traffic(2)
    days = [[one.day(day) for day in one.days] for one in (first, same, other)]
    assert days[0] == days[1] != days[2]
    assert 300 <= sum(map(len, days[0])) < 400
    for day, rows in zip(first.days, days[0], strict=True):
        assert {row.minute // 1440 for row in rows} == {day}
        assert [row.first for row in rows] == sorted(row.first for row in rows)


def test_folder_is_filled_and_its_sums_are_those_of_the_hits(tmp_path):
    stored = seed(tmp_path, rows=200, days=2, clients=20)
    state = open_state(settings_of(tmp_path))
    try:
        with state.store.reading() as connection:
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM hit").scalar() == stored
            assert connection.exec_driver_sql("SELECT COUNT(*) FROM span").scalar()
            summed = sum(one.hits for one in day_sums(connection, 0, 2**40))
        assert summed == Reports(state.store, 300).totals()[0]
        assert {group.name for group in state.policy.groups()} > {"engineering"}
    finally:
        state.close()


def test_every_page_is_measured(capsys):
    found = list(pages.paths())
    assert {"/", "/vendors/openai", "/api/v1/hits/top", "/api/v1/reports/vendors"} <= set(found)
    assert not any("live" in path and path.startswith("/api") for path in found)
    said = capsys.readouterr().out
    assert "/login" not in said


def test_folder_without_a_store_is_refused(tmp_path):
    with pytest.raises(SystemExit):
        pages.main([str(tmp_path)])
