"""Sums of whole spans are kept for the next question, and never told of what is no longer so."""

from sinkhole.store.database import open_for_reading, open_store
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from sinkhole.store.span_cache import SpanCache, Sum, copied
from sinkhole.store.span_sql import Labels
from tests.store.rows import batch
from tests.store.test_spans import BEGIN, DAY, HOUR, NOW, WINDOW, hit, some_hits, summed

JURISDICTIONS = Labels({"v0": ("XX", "YY"), "v1": ("XX",)})


def sums(*clients):
    return {(1, 0): Sum(1, 2, 0, 0, 5, 6, set(clients))}


def test_whoever_changes_what_was_got_changes_nothing_that_is_kept():
    cache = SpanCache()
    cache.put("key", sums(1))
    copied(cache.get("key"))[1, 0].join(Sum(1, 1, 1, 1, 1, 1, {2}))
    assert cache.get("key") == sums(1)
    assert cache.get("other") is None


def test_what_was_asked_for_longest_ago_goes_first_and_what_is_too_large_is_not_kept():
    cache = SpanCache(most=2)
    cache.put("a", sums())
    cache.put("b", sums())
    cache.get("a")
    cache.put("c", sums())
    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]
    cache.put("d", sums(*range(50)))
    assert cache.get("d") is None
    assert cache.get("a") is not None


def test_texts_are_asked_for_once_for_each_store():
    cache, asked = SpanCache(), []

    def find(numbers):
        asked.append(sorted(numbers))
        return {number: f"t{number}" for number in numbers if number < 9}

    assert cache.texts("one", [1, 2], find) == {1: "t1", 2: "t2"}
    assert cache.texts("one", [2, 3, 9], find) == {2: "t2", 3: "t3"}
    assert cache.texts("other", [2], find) == {2: "t2"}
    assert asked == [[1, 2], [3, 9], [2]]


def test_question_asked_again_sees_late_hits_and_new_ones(store, recorder):
    recorder.write(batch(hit(BEGIN - HOUR), *(hit(BEGIN + n * 600) for n in range(12))))
    summed(store)
    reports = Reports(store, WINDOW)
    for seq, late in enumerate((BEGIN + 650, BEGIN + 90 * 60, NOW - DAY), 2):
        before = reports.count_by("vendor", BEGIN, NOW)
        assert before == reports.count_by("vendor", BEGIN, NOW)
        assert recorder.write(batch(hit(late), seq=seq))
        for _ in range(2):
            assert reports.count_by("vendor", BEGIN, NOW)[0].hits == before[0].hits + 1
            summed(store)


def test_readers_that_share_what_is_kept_see_the_same(store, recorder):
    recorder.write(batch(hit(BEGIN - HOUR), hit(BEGIN + 60)))
    summed(store)
    shared = SpanCache()
    readers = [open_for_reading(store.path, lambda: False, shared) for _ in range(2)]
    try:
        found = [Reports(one, WINDOW).count_by("client") for one in readers]
        assert found[0] == found[1] == Reports(store, WINDOW).count_by("client")
    finally:
        for one in readers:
            one.close()


def test_clients_of_the_last_minutes_are_not_among_those_of_earlier_times(tmp_path):
    """What is added to whole hours for one question must not be there for the next."""
    store = open_store(tmp_path / "store.db")
    early = [hit(BEGIN + n * HOUR, client="192.0.2.1", vendor="v0") for n in range(30)]
    Recorder(store, str).write(batch(*early, hit(BEGIN + 30 * HOUR + 60, client="192.0.2.2", vendor="v0")))
    summed(store, now=BEGIN + 30 * HOUR + 200)
    reports = Reports(store, WINDOW)
    for _ in range(2):
        for until, clients in ((BEGIN + 30 * HOUR + 200, 2), (BEGIN + 30 * HOUR, 1)):
            assert [one.clients for one in reports.count_by("vendor", BEGIN, until)] == [clients]
            assert reports.clients(BEGIN, until) == clients
    store.close()


def test_an_hour_later_the_days_before_are_read_from_what_is_kept(tmp_path):
    """And what is told is what a store tells that keeps nothing."""
    store, hits = open_store(tmp_path / "store.db"), some_hits(5, count=400, days=4)
    Recorder(store, str).write(batch(*hits))
    for later in range(60, 100, 3):
        now = BEGIN + later * HOUR
        summed(store, now=now)
        reports = Reports(store, WINDOW)
        told = [reports.count_by("vendor", BEGIN, now), reports.count_by_label(JURISDICTIONS, "vendor", BEGIN, now),
                EvidenceCounts(store, WINDOW).days(BEGIN, now),
                EvidenceCounts(store, WINDOW).vendors_before(now)]  # fmt: skip
        fresh = open_for_reading(tmp_path / "store.db", lambda: False)
        reports = Reports(fresh, WINDOW)
        assert told == [
            reports.count_by("vendor", BEGIN, now), reports.count_by_label(JURISDICTIONS, "vendor", BEGIN, now),
            EvidenceCounts(fresh, WINDOW).days(BEGIN, now), EvidenceCounts(fresh, WINDOW).vendors_before(now),
        ]  # fmt: skip
        fresh.close()
    store.close()
