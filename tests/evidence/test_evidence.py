"""Counting, the floor and the trend of a report, without store or logs."""

from hypothesis import given
from hypothesis import strategies as st

from sinkhole.app.log_evidence import KEYS
from sinkhole.evidence.chart import bars, columns
from sinkhole.evidence.counting import Counting
from sinkhole.evidence.floor import merge_few
from sinkhole.evidence.model import By, Evidence
from sinkhole.evidence.trend import DAY, buckets, start_of, step_of
from sinkhole.policy.verdict import Action

WINDOW = 300
Queries = list[tuple[int, str, str]]


def counted(queries: Queries, **more) -> Counting:
    counting = Counting(WINDOW, has_policy=False, **more)
    for at, client, vendor in queries:
        counting.add(at, client, vendor, None, Action.MONITOR, None)
    return counting


def name_of(vendor):
    return vendor, None


def attempts(queries: Queries) -> int:
    return counted(queries).total().attempts


def test_attempt_grows_in_both_directions():
    assert attempts([(1000, "a", "v"), (1300, "a", "v"), (1601, "a", "v")]) == 2
    assert attempts([(1000, "a", "v"), (900, "a", "v"), (650, "a", "v"), (1100, "a", "v")]) == 1
    assert attempts([(1000, "a", "v"), (1000, "a", "w"), (1000, "b", "v")]) == 3


def test_client_that_is_not_known_counts_as_none():
    assert counted([(0, "", "v"), (0, "a", "v")]).total().clients == 1


queries_of_few = st.lists(
    st.tuples(st.integers(0, 20 * DAY), st.sampled_from("abcdefgh"), st.sampled_from(["u", "v", "w", "x"])), max_size=60
)  # fmt: skip


@given(queries_of_few, st.integers(2, 6))
def test_no_row_is_of_fewer_clients_than_the_floor(queries, floor):
    """Nothing about few clients is told, nor can it be told from the total."""
    counting = counted(queries, is_split=True)
    key = KEYS[By.VENDOR]
    lines = counting.lines(key, name_of)
    shown = merge_few(lines, floor, counting.union(key))
    for line in shown:
        assert line.tried is None or line.tried.clients >= floor
        for span in (line.before, line.after):
            assert span is None or span.attempts == 0 or span.clients >= floor
    told = [line.tried.attempts for line in shown if line.tried]
    assert sum(told) in (0, counting.total().attempts) or any(line.tried is None for line in shown)
    if any(line.merged == 1 for line in shown):
        assert all(line.tried is None for line in shown if line.merged)
    assert merge_few(lines, 1, counting.union(key)) == tuple(lines)


@given(queries_of_few, st.integers(2, 6), st.sampled_from(["day", "week"]))
def test_no_day_is_told_of_fewer_clients_than_the_floor(queries, floor, step):
    counting = counted(queries)
    clients = counting.clients_by_step(step)
    for bucket in buckets(counting.days, step, clients, floor):
        assert set(bucket.attempts) <= {""}
        if bucket.total:
            assert clients[bucket.start // DAY] >= floor
    assert sum(b.total for b in buckets(counting.days, step, clients)) == counting.total().attempts


def test_weeks_begin_on_monday_and_have_no_holes():
    assert start_of(4, "week") == 4  # Monday, 5 January 1970
    assert start_of(10, "week") == 4
    found = buckets({4: {"v": 1}, 33: {"v": 2}}, "week")
    assert [(one.start // DAY, one.total) for one in found] == [(4, 1), (11, 0), (18, 0), (25, 0), (32, 2)]
    assert (step_of(62, None), step_of(63, None), step_of(900, "day")) == ("day", "week", "day")


def test_clock_that_was_wrong_once_makes_no_endless_trend():
    assert len(buckets({0: {"v": 1}, 20_000: {"v": 1}}, "week")) == 2


def test_clients_beyond_what_is_told_apart_are_one(monkeypatch):
    monkeypatch.setattr("sinkhole.evidence.counting.MOST_PAIRS", 2)
    counting = counted([(0, client, "v") for client in "abcd"])
    assert (counting.is_full, counting.total().clients, counting.total().queries) == (True, 3, 4)


def report(counting: Counting) -> Evidence:
    return Evidence(
        "t", (), 0, 1, 1, "b", counting.total(), None, tuple(counting.lines(KEYS[By.VENDOR], name_of)), By.VENDOR, (),
        "day", buckets(counting.days, "day", counting.clients_by_step("day")),
    )  # fmt: skip


def test_charts_say_in_words_what_they_show_and_escape_names():
    evidence = report(counted([(n * DAY, "a", vendor) for n in range(3) for vendor in ("<b>", *"bcdefgh")]))
    assert "<desc" in bars(evidence)
    assert "&lt;b&gt;" in bars(evidence)
    assert "<b>" not in bars(evidence) + columns(evidence)
    assert "others" in columns(evidence)
    assert columns(evidence).count("<rect") == 3 * 7
    nothing = report(counted([]))
    assert (bars(nothing), columns(nothing)) == ("", "")
