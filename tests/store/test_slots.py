"""What came since the last whole hour is kept by ten minutes, and told as counting every hit would tell it."""

import random

import pytest

from sinkhole.store import spans
from sinkhole.store.reports import Reports
from sinkhole.store.retention import Retention, retain
from tests.store.rows import batch
from tests.store.test_spans import BEGIN, DAY, HOUR, KEYS, WINDOW, counted, hit, naive, summed

SLOT = 600
BY = ("vendor", "client", "group", "category")


@pytest.fixture
def looked_at(monkeypatch):
    """The times whose hits are counted, each by itself."""
    times = []

    def look(connection, by, since, until, *rest):
        times.append((since.at - BEGIN, until.at - BEGIN))
        return ask(connection, by, since, until, *rest)

    ask = spans.counted
    monkeypatch.setattr(spans, "counted", look)
    return times


def some_hit(draw, at):
    vendor = draw.choice([None, "v0", "v1"])
    return hit(
        at, long=draw.randrange(40), client=draw.choice(["", "192.0.2.1", "192.0.2.2"]), vendor=vendor,
        count=draw.randrange(1, 4), product=vendor and f"{vendor}/{draw.choice('ab')}",
        group=draw.choice([None, "staff", "guests"]), action=draw.choice(["block", "coach", "monitor"]),
        feed=None if vendor else "ads", subject=draw.choice(["ai", "feed:ads"]), name="a.example", qtype=1,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_any_time_is_told_while_hits_come_on_time_and_late(store, recorder, seed):
    draw, now = random.Random(seed), BEGIN + 20 * HOUR
    for seq in range(1, 60):
        now += draw.choice((5, 60, 250, 900))
        late = draw.choice((0, 0, 0, 90, 700, 3000, 2 * HOUR, 30 * HOUR))
        new = [some_hit(draw, now - late - draw.randrange(30)) for _ in range(draw.randrange(1, 8))]
        recorder.write(batch(*new, seq=seq))
        hits = [line.hit for line in Reports(store, WINDOW).lines()]
        if draw.random() < 0.2:
            summed(store, now)
        by, window = draw.choice(BY), draw.choice((WINDOW, WINDOW, 3000, DAY))
        for since in (BEGIN - DAY, now - draw.randrange(4 * HOUR), now // HOUR * HOUR - HOUR):
            for until in (now + 60, (now - draw.randrange(1800)) // 60 * 60):  # no hit lies across it
                assert counted(store, by, since, until, window) == naive(hits, KEYS[by], since, until, window)


def test_only_what_may_still_change_is_counted_again(store, recorder, looked_at):
    recorder.write(batch(*(hit(BEGIN + n * 60) for n in range(45))))
    counted(store, "vendor", BEGIN, BEGIN + 44 * 60)
    assert sorted(looked_at) == [*((n * SLOT, n * SLOT + SLOT) for n in range(4)), (4 * SLOT, 44 * 60)]
    looked_at.clear()
    recorder.write(batch(hit(BEGIN + 44 * 60, client="192.0.2.9"), seq=2))
    counted(store, "vendor", BEGIN, BEGIN + 45 * 60)
    assert looked_at == [(4 * SLOT, 45 * 60)]


def test_late_hit_counts_anew_what_it_may_change_and_no_more(store, recorder, looked_at):
    recorder.write(batch(*(hit(BEGIN + n * 60) for n in range(50))))
    counted(store, "vendor", BEGIN, BEGIN + 50 * 60)
    looked_at.clear()
    recorder.write(batch(hit(BEGIN + 25 * 60), seq=2))
    counted(store, "vendor", BEGIN, BEGIN + 50 * 60)
    assert sorted(looked_at) == [(2 * SLOT, 3 * SLOT), (3 * SLOT, 4 * SLOT)]


def test_deleted_hits_are_told_no_more(store, recorder):
    hits = [hit(BEGIN + n * 60) for n in range(120)]
    recorder.write(batch(*hits))
    counted(store, "vendor", BEGIN, BEGIN + 2 * HOUR)
    retain(store, Retention(days=1, max_bytes=2**40), BEGIN + DAY + 30 * 60)
    left = [line.hit for line in Reports(store, WINDOW).lines()]
    assert len(left) == 90
    assert counted(store, "vendor", BEGIN, BEGIN + 2 * HOUR) == naive(left, KEYS["vendor"], BEGIN, BEGIN + 2 * HOUR)


def test_changes_of_a_day_are_remembered(store, recorder):
    recorder.write(batch(*(hit(BEGIN + n * SLOT) for n in range(400))))
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT MIN(slot), COUNT(*) FROM slot_change").one()
    assert tuple(rows) == (BEGIN // SLOT + 400 - 144, 144)
