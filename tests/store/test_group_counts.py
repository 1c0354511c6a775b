"""What a group tried: days from their sums, what came after from hits, each once."""

from datetime import UTC, datetime

from sinkhole.policy.hit import HitRow
from sinkhole.store.daily import sum_days
from sinkhole.store.group_counts import GroupCount, group_counts
from sinkhole.store.recorder import HitBatch, Recorder

DAY = 86_400
NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())


def row(at, client="192.0.2.7", group="staff", vendor="deepseek", action="block", number=1):
    return HitRow(at // 60, client, group, "x.example", 1, action, vendor, f"{vendor}/x", None, "ai", number, at, at)


def test_days_and_what_came_after_are_counted_once(store):
    old, recent = NOW - 2 * DAY, NOW - 600
    rows = (
        row(old, number=3), row(old + 30, number=2), row(recent), row(recent, vendor="openai", action="coach"),
        row(recent, client="192.0.2.8", number=4), row(recent, group="others"), row(recent, group=None),
        row(NOW - 40 * DAY),
    )  # fmt: skip
    assert Recorder(store, str).write(HitBatch("w", 1, rows, 0))
    wanted = [GroupCount("deepseek", 3, 10, 10, 0), GroupCount("openai", 1, 1, 0, 1)]
    first = NOW // DAY - 30
    assert group_counts(store, "staff", first, 1800) == wanted
    list(sum_days(store, 1800, NOW))
    assert group_counts(store, "staff", first, 1800) == wanted, "the same, once days are summed up"
    assert group_counts(store, "nobody", first, 1800) == []
