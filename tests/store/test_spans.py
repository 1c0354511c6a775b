"""Reports add up hours and days that were counted once, and tell what counting every hit would tell."""

import random
from collections import defaultdict

import pytest

from sinkhole.store.database import open_store
from sinkhole.store.evidence_counts import EvidenceCounts
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import COLUMNS, Reports, Tally
from sinkhole.store.retention import Retention, retain
from sinkhole.store.span_runs import LEVELS
from sinkhole.store.span_sql import By, Edge, Labels
from sinkhole.store.spans import Spans
from sinkhole.store.summing import GRACE, sum_spans
from tests.store.rows import batch, row

WINDOW = 300
HOUR, DAY = 3600, 86_400
BEGIN = 20_352 * DAY
"""A day on which sixteen days begin."""
NOW = BEGIN + 40 * DAY
CATEGORIES = {"v0/a": ("chat", "code"), "v0/b": ("chat",), "v1/a": ("code",)}
LABELS = Labels(CATEGORIES)


def hit(at, **fields):
    return row(minute=at // 60, first=at, last=at + min(fields.pop("long", 0), 59 - at % 60), **fields)


def some_hits(seed, count=900, days=35):
    """Hits of few clients for few vendors in bursts, many of them over the end of an hour or a day."""
    draw = random.Random(seed)
    found = []
    while len(found) < count:
        at = BEGIN + draw.randrange(days * 24) * HOUR + draw.choice((0, -200, 1800)) + draw.randrange(300)
        client, vendor = draw.choice(["", "192.0.2.1", "192.0.2.2"]), draw.choice([None, "v0", "v1"])
        for _ in range(draw.randrange(1, 6)):
            found.append(hit(
                max(at, BEGIN), long=draw.randrange(30), client=client, vendor=vendor, count=draw.randrange(1, 5),
                product=vendor and f"{vendor}/{draw.choice('ab')}", group=draw.choice([None, "staff", "guests"]),
                action=draw.choice(["block", "coach", "monitor"]), feed=None if vendor else "ads",
                subject=draw.choice(["ai", "feed:ads"]), name=f"{draw.choice('abc')}.example",
                qtype=draw.choice([1, 28]),
            ))  # fmt: skip
            at += draw.randrange(400)
    return found


def naive(hits, key_of, since, until, window=WINDOW):
    """Count hit by hit, with no SQL: hits of one key, client and vendor within the window are one attempt."""
    apart, counts, clients = defaultdict(list), defaultdict(lambda: [0, 0, 0, 0, 2**62, 0]), defaultdict(set)
    for one in hits:
        if since <= one.last < until:
            for key in key_of(one):
                apart[key, one.client, one.vendor].append(one)
    for (key, client, _), found in apart.items():
        here, reached = counts[key], None
        for one in sorted(found, key=lambda one: one.first):
            here[0] += reached is None or one.first - reached > window
            reached = one.last if reached is None else max(reached, one.last)
            here[1] += one.count
            here[2] += one.count * (one.action == "block")
            here[3] += one.count * (one.action == "coach")
            here[4], here[5] = min(here[4], one.first), max(here[5], one.last)
        clients[key] |= {client} - {""}
    tallies = [Tally(key, len(clients[key]), *here) for key, here in counts.items()]
    return sorted(tallies, key=lambda one: (-one.attempts, -one.hits, one.key))


KEYS = {
    **{column: lambda one, column=column: [x for x in [getattr(one, column)] if x is not None] for column in COLUMNS},
    "category": lambda one: CATEGORIES.get(one.product, ()),
}


def counted(store, by, since, until, window=WINDOW):
    reports = Reports(store, window)
    if by == "category":
        return reports.count_by_label(LABELS, "product", since, until)
    return reports.count_by(by, since, until)


def summed(store, now=NOW, window=WINDOW, labels=LABELS):
    return list(sum_spans(store, window, labels, now))


def spans_of(store):
    with store.reading() as connection:
        return connection.exec_driver_sql("SELECT hours, begin FROM span ORDER BY 1, 2").fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A store with hits that are all counted, and the hits."""
    store, hits = open_store(tmp_path_factory.mktemp("world") / "store.db"), some_hits(1)
    Recorder(store, str).write(batch(*hits))
    summed(store)
    with store.reading() as connection:
        recorded = [line.hit for line in Reports(store, WINDOW).lines()]
        assert {hours for hours, _ in spans_of(store)} == set(LEVELS)
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM span_sum").scalar_one()
    yield store, recorded
    store.close()


@pytest.mark.parametrize("by", [*COLUMNS, "category"])
def test_any_time_is_told_as_counting_each_hit_would_tell_it(world, by):
    store, hits = world
    draw = random.Random(by)
    for _ in range(12):
        since = BEGIN + draw.choice((-DAY, 0, draw.randrange(30 * DAY), draw.randrange(30) * DAY))
        until = since + draw.choice((60, 700, HOUR, 20 * DAY, draw.randrange(1, 40 * DAY)))
        assert counted(store, by, since, until) == naive(hits, KEYS[by], since, until), (since, until)


def test_jurisdictions_follow_from_vendors(world):
    store, hits = world
    label_of = {"v0": ("XX",), "v1": ("XX",)}
    since, until = BEGIN + 3 * DAY + 77, BEGIN + 33 * DAY + 5
    expected = naive(hits, lambda one: label_of.get(one.vendor, ()), since, until)
    assert Reports(store, WINDOW).count_by_label(Labels(label_of), "vendor", since, until) == expected


def test_attempts_before_and_after_a_moment_add_up(world):
    store, _ = world
    for pivot in (BEGIN + 10 * DAY, BEGIN + 20 * DAY + 1234):
        since, until = BEGIN + 2 * DAY + 99, BEGIN + 33 * DAY
        for one in EvidenceCounts(store, WINDOW).tried(By.VENDOR, since, until, pivot):
            assert one.before.attempts + one.after.attempts == one.whole.attempts
            assert one.before.clients | one.after.clients == one.whole.clients
            assert one.before.hits + one.after.hits == one.whole.hits


def test_days_add_up_to_the_whole(world):
    store, _ = world
    counts = EvidenceCounts(store, WINDOW)
    for since, until in ((BEGIN, NOW), (BEGIN + 5 * DAY + 808, BEGIN + 9 * DAY + 9999)):
        days = counts.days(since, until)
        tried = counts.tried(By.VENDOR, since, until)
        assert sum(sum(day.values()) for day in days.values()) == sum(one.whole.attempts for one in tried)
        assert max(counts.clients_by(since, until, 1, 0).values()) <= 2


def test_whole_spans_are_read_and_not_their_hits(world):
    """Else nothing would be gained: counts that only a span can have are told."""
    store, _ = world
    with store.transaction() as connection:
        connection.exec_driver_sql("UPDATE span_sum SET hits = hits + 1000000 WHERE hours = 384 AND by = 2")
        spans = Spans(connection, WINDOW)
        assert (
            sum(one.hits for one in spans.begun(By.VENDOR, Edge(BEGIN + 16 * DAY), Edge(BEGIN + 33 * DAY)).values())
            > 1_000_000
        )
        assert (
            sum(one.hits for one in spans.begun(By.VENDOR, Edge(BEGIN + 16 * DAY + 1), Edge(BEGIN + 32 * DAY)).values())
            < 9_000
        )
        connection.exec_driver_sql("UPDATE span_sum SET hits = hits - 1000000 WHERE hours = 384 AND by = 2")


def test_only_what_is_over_is_counted(store, recorder):
    recorder.write(batch(hit(BEGIN - HOUR), hit(BEGIN + 10), hit(BEGIN + HOUR + 10)))
    assert summed(store, BEGIN + HOUR + GRACE - 1) == []
    assert summed(store, BEGIN + HOUR + GRACE) == [(1, BEGIN // HOUR)]
    assert summed(store, BEGIN + HOUR + GRACE) == []
    later = summed(store, BEGIN + DAY + GRACE)
    assert later == [(1, BEGIN // HOUR + 1), (6, BEGIN // HOUR), (24, BEGIN // HOUR)]


def test_hits_that_come_late_are_told(store, recorder):
    first = [hit(BEGIN - HOUR), hit(BEGIN + 30 * 60), hit(BEGIN + HOUR + 30)]
    recorder.write(batch(*first))
    summed(store)
    before = spans_of(store)
    late = hit(BEGIN + HOUR - 100)  # also joins an attempt of the next hour
    recorder.write(batch(late, seq=2))
    assert [span for span in before if span[0] == 1] != [span for span in spans_of(store) if span[0] == 1]
    for _ in range(2):
        assert counted(store, "vendor", 0, NOW) == naive([*first, late], KEYS["vendor"], 0, NOW)
        summed(store)
    assert spans_of(store) == before


def test_hits_on_time_forget_nothing(store, recorder):
    recorder.write(batch(hit(BEGIN - HOUR), hit(BEGIN)))
    summed(store, BEGIN + HOUR + GRACE)
    before = spans_of(store)
    recorder.write(batch(hit(BEGIN + HOUR + 60 * 10), seq=2))
    assert spans_of(store) == before != []


def test_nothing_of_a_client_outlives_its_hits(store, recorder):
    """R-D06: counts hold clients, so they go when hits go, and what is left is told as it is."""
    hits = some_hits(2, 400)
    recorder.write(batch(*hits))
    summed(store)
    keep = Retention(days=20, max_bytes=2**40)
    retain(store, keep, NOW - 7 * 60)
    left = [line.hit for line in Reports(store, WINDOW).lines()]
    assert 0 < len(left) < 400
    oldest = min(one.minute for one in left) // 60
    with store.reading() as connection:
        for table in ("span", "span_sum"):
            assert connection.exec_driver_sql(f"SELECT MIN(begin) FROM {table}").scalar_one() > oldest
    for _ in range(2):
        assert counted(store, "vendor", 0, NOW) == naive(left, KEYS["vendor"], 0, NOW)
        summed(store)
    retain(store, Retention(days=1, max_bytes=2**40), NOW + 90 * DAY)
    with store.reading() as connection:
        for table in ("span", "span_sum"):
            assert connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() == 0


def test_another_attempt_window_counts_anew(store, recorder):
    recorder.write(batch(hit(BEGIN - HOUR), *(hit(BEGIN + n * 200) for n in range(5))))
    summed(store)
    (wide,) = Reports(store, 100).count_by("vendor")
    assert wide.attempts == 6
    assert len(summed(store, window=100)) == len(LEVELS)
    assert Reports(store, 100).count_by("vendor") == [wide]


def test_other_categories_are_counted_by_at_once(store, recorder):
    hits = [hit(BEGIN - HOUR), hit(BEGIN + 10, product="v0/a"), hit(BEGIN + 20, product="v0/b")]
    recorder.write(batch(*hits))
    summed(store)
    other = {"v0/a": ("images",), "v0/b": ("images", "chat")}
    expected = naive(hits, lambda one: other.get(one.product, ()), 0, NOW)
    for _ in range(2):
        assert Reports(store, WINDOW).count_by_label(Labels(other), "product") == expected
        made = summed(store, labels=Labels(other))
    assert made == []


def test_clock_that_was_far_ahead_leaves_nothing_wrong(store, recorder):
    """R-D10: an hour that was counted before it was over is counted again with what comes in it."""
    recorder.write(batch(hit(BEGIN - HOUR), hit(BEGIN + 60)))
    summed(store, NOW)
    recorder.write(batch(hit(BEGIN + 600), seq=2))
    (tally,) = counted(store, "vendor", BEGIN, NOW)
    assert (tally.attempts, tally.hits) == (2, 2)


def test_decades_without_hits_take_no_time(store, recorder):
    recorder.write(batch(hit(1), hit(HOUR * 400), hit(BEGIN), hit(BEGIN + DAY)))
    assert len(summed(store)) < 700
