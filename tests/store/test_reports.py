"""Who tried what, how often and when: attempts are counted, not raw queries."""

import pytest

from sinkhole.errors import StoreError
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import COLUMNS, Reports
from sinkhole.store.span_sql import Labels
from tests.store.rows import MINUTE, START, batch, row

WINDOW = 300


@pytest.fixture
def reports(store):
    return Reports(store, WINDOW)


def one(tallies):
    (tally,) = tallies
    return tally


def test_empty_store_reports_nothing(reports):
    assert reports.count_by("vendor") == []
    assert reports.count_by_label(Labels({"example": ("XX",)}), "vendor") == []
    assert list(reports.lines()) == []
    assert reports.newest_id() == 0
    assert reports.totals() == (0, 0)


def test_numbers_agree_with_what_was_recorded(recorder, reports):
    """R-O11: N queries are N hits."""
    rows = (row(count=900), row(count=90, qtype=28), row(count=10, action="monitor"), row(count=5, action="coach"))
    recorder.write(batch(*rows))
    tally = one(reports.count_by("vendor"))
    assert (tally.key, tally.clients, tally.hits) == ("example", 1, 1005)
    assert (tally.blocked, tally.coached, tally.allowed) == (990, 5, 10)
    assert (tally.first, tally.last) == (START, START)


def test_address_types_and_retries_are_one_attempt(recorder, reports):
    recorder.write(batch(row(qtype=1), row(qtype=28), row(qtype=65), row(at=4), row(at=5, name="api.example.org")))
    assert one(reports.count_by("vendor")).attempts == 1


@pytest.mark.parametrize(("pause", "attempts"), [(WINDOW, 1), (WINDOW + 1, 2)])
def test_attempt_ends_with_a_pause_longer_than_the_window(recorder, reports, pause, attempts):
    recorder.write(batch(row(first=START, last=START + 50), row(at=50 + pause)))
    assert one(reports.count_by("vendor")).attempts == attempts


def test_pause_is_counted_from_the_latest_hit_not_from_the_latest_row(recorder, reports):
    recorder.write(batch(row(first=START, last=START + 59), row(qtype=28, at=1), row(at=WINDOW + 30)))
    assert one(reports.count_by("vendor")).attempts == 1


def test_attempts_of_clients_and_vendors_are_their_own(recorder, reports):
    recorder.write(batch(row(), row(client="192.0.2.2"), row(client="192.0.2.2", vendor="other")))
    found = {tally.key: (tally.clients, tally.attempts) for tally in reports.count_by("vendor")}
    assert found == {"example": (2, 2), "other": (1, 1)}
    assert one(reports.count_by("subject")).attempts == 3
    assert {tally.key: tally.attempts for tally in reports.count_by("client")} == {"192.0.2.1": 1, "192.0.2.2": 2}


@pytest.mark.parametrize("column", COLUMNS)
def test_hits_are_counted_by_each_column(recorder, reports, column):
    recorder.write(batch(row(group="staff", feed="doh")))
    assert one(reports.count_by(column)).key == getattr(row(group="staff", feed="doh"), column)


def test_hits_without_the_value_are_left_out(recorder, reports):
    recorder.write(batch(row(), row(vendor=None, product=None, feed="doh", qtype=2)))
    assert one(reports.count_by("vendor")).hits == 1
    assert one(reports.count_by("feed")).key == "doh"


def test_most_attempts_come_first_and_the_limit_cuts(recorder, reports):
    recorder.write(
        batch(
            row(vendor="b"), row(vendor="c", count=9), row(vendor="a"),
            row(vendor="d"), row(vendor="d", at=1000),
        )
    )  # fmt: skip
    assert [tally.key for tally in reports.count_by("vendor")] == ["d", "c", "a", "b"]
    assert [tally.key for tally in reports.count_by("vendor", limit=2)] == ["d", "c"]


def test_time_limits_hold_on_both_sides(recorder, reports):
    recorder.write(batch(row(at=0), row(at=1000), row(at=2000)))
    assert one(reports.count_by("vendor", since=START + 1000)).hits == 2
    assert one(reports.count_by("vendor", since=START + 1000, until=START + 2000)).hits == 1
    assert reports.count_by("vendor", since=START + 2001) == []


def test_wrong_column_is_said_and_never_sql(reports):
    """R-D09: nothing from outside becomes SQL."""
    for count in (lambda: reports.count_by("name; DROP TABLE hit"), lambda: reports.count_by_label(Labels({}), "x")):
        with pytest.raises(StoreError, match="counted by vendor, product"):
            count()


def test_labels_of_a_value_each_count_it_once(recorder, reports):
    recorder.write(batch(row(product="a/chat"), row(product="a/api", qtype=28), row(product="a/none", qtype=2)))
    found = reports.count_by_label(
        Labels({"a/chat": ("chat", "text"), "a/api": ("text",), "b/api": ("code",)}), "product"
    )
    assert [(tally.key, tally.hits, tally.attempts, tally.clients) for tally in found] == [
        ("text", 2, 1, 1), ("chat", 1, 1, 1),
    ]  # fmt: skip


def test_label_may_have_more_values_than_sqlite_binds(recorder, reports):
    recorder.write(batch(row()))
    vendors = {f"v{number}": ("XX",) for number in range(40_000)}
    assert one(reports.count_by_label(Labels(vendors | {"example": ("XX",)}), "vendor")).hits == 1


def test_lines_come_in_order_and_can_be_followed(recorder, reports):
    recorder.write(batch(*(row(qtype=number) for number in range(5))))
    assert [line.hit.qtype for line in reports.lines(newest=True, limit=2)] == [3, 4]
    assert [line.hit.qtype for line in reports.lines(limit=2)] == [0, 1]
    seen = reports.newest_id()
    recorder.write(batch(row(qtype=9), seq=2))
    assert [line.hit.qtype for line in reports.lines(after=seen)] == [9]
    assert [line.hit.qtype for line in reports.lines(since=START + 1)] == []


def test_follower_misses_nothing_after_a_deletion(store, recorder, reports):
    recorder.write(batch(row()))
    seen = reports.newest_id()
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM hit")
    Recorder(store, str).write(batch(row(), seq=2))
    assert len(list(reports.lines(after=seen))) == 1


def test_export_of_many_rows_sees_one_state_while_hits_come_in(recorder, reports):
    recorder.write(batch(*(row(name=f"n{number}") for number in range(2500))))
    lines = reports.lines()
    first = next(lines)
    recorder.write(batch(row(name="later"), seq=2))
    rest = list(lines)
    assert first.hit.minute == MINUTE
    assert len(rest) == 2499
    assert rest[-1].hit.name != "later"
