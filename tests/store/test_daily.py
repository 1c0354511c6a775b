"""Days that are over are summed up once, before their hits go."""

from sinkhole.store.daily import KEPT_DAYS, DaySum, day_sums, sum_days
from sinkhole.store.recorder import Recorder
from tests.store.rows import START, batch, row

DAY = 86_400
NOON = START // DAY * DAY + DAY // 2 - START
"""Seconds from `START` to the noon of its day."""
NOW = START + NOON + 3 * DAY


def sums(store):
    with store.reading() as connection:
        return day_sums(connection, 0, NOW + DAY)


def run(store, now=NOW):
    return list(sum_days(store, 300, now))


def test_day_is_summed_by_product_group_and_action(store, recorder):
    recorder.write(
        batch(
            row(at=NOON, count=5), row(at=NOON + 1, qtype=28), row(at=NOON + 900), row(at=NOON, client="192.0.2.2"),
            row(at=NOON, action="monitor", group="staff"), row(at=NOON, vendor=None, product=None, feed="doh"),
        )
    )  # fmt: skip
    assert len(run(store)) == 1
    date = "2025-09-16"
    assert sums(store) == [
        DaySum(date, None, None, None, "block", 1, 1, 1),
        DaySum(date, "example", "example/chat", None, "block", 2, 3, 8),
        DaySum(date, "example", "example/chat", "staff", "monitor", 1, 0, 1),
    ]


def test_today_waits_until_it_is_over(store, recorder):
    recorder.write(batch(row(at=NOON)))
    assert run(store, START + NOON + 60) == []
    assert sums(store) == []
    assert len(run(store, START + NOON + DAY)) == 1


def test_day_is_summed_once_and_its_hits_may_go(store, recorder):
    recorder.write(batch(row(at=NOON), row(at=NOON + 2 * DAY)))
    assert len(run(store)) == 2
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM hit")
    assert run(store) == []
    assert [found.hits for found in sums(store)] == [1, 1]


def test_days_without_hits_are_skipped(store, recorder):
    """R-D10: a clock that was at 1970 once costs no twenty thousand empty days."""
    recorder.write(batch(row(minute=5, first=300, last=300), row(at=NOON - 3 * 365 * DAY), row(at=NOON)))
    assert len(run(store)) == 2


def test_clock_that_goes_back_does_not_sum_a_day_again(store, recorder):
    """R-D10: what is summed stays as it was."""
    recorder.write(batch(row(at=NOON), row(at=NOON + DAY)))
    run(store)
    recorder.write(batch(row(at=NOON + 5, qtype=2), seq=2))
    assert run(store, START + NOON + DAY) == []
    assert run(store, NOW + DAY) == []
    assert [found.hits for found in sums(store)] == [1, 1]


def test_clock_that_was_ahead_keeps_no_day_from_being_summed(store, recorder):
    """R-D10: the days until then come all the same."""
    recorder.write(batch(row(at=NOON + 900 * DAY)))
    run(store, NOW + 1000 * DAY)
    recorder.write(batch(row(at=NOON), seq=2))
    assert len(run(store)) == 1


def test_sums_without_clients_count_none(store):
    """R-D11: no client is stored, none is counted."""
    Recorder(store, lambda _address: "").write(batch(row(at=NOON), row(at=NOON, client="192.0.2.2", qtype=28)))
    run(store)
    assert [(found.clients, found.hits) for found in sums(store)] == [(0, 2)]


def test_sums_are_not_kept_for_ever(store, recorder):
    recorder.write(batch(row(at=NOON)))
    run(store)
    later = NOW + KEPT_DAYS * DAY
    recorder.write(batch(row(minute=int(later - 2 * DAY) // 60, qtype=2), seq=2))
    run(store, later)
    with store.reading() as connection:
        assert len(day_sums(connection, 0, later)) == 1
