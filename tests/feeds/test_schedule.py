"""When feeds are due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from sinkhole.feeds.schedule import due, is_due, next_sync
from sinkhole.policy.feed import Feed, FeedState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEED = Feed("list", "https://lists.example.org/list")
HOUR = 3600


def _wait(failures: int, feed: Feed = FEED, interval: int = 6 * HOUR, seed: int = 0) -> float:
    return (next_sync(feed, interval, failures, NOW, Random(seed)) - NOW).total_seconds()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 6 * HOUR), (1, 60), (2, 300), (3, 900), (4, HOUR), (99, HOUR)])
def test_failures_are_retried_with_back_off(failures: int, seconds: int) -> None:
    """R-F12: after 1, 5, 15 and 60 minutes, a tenth more or less."""
    waits = [_wait(failures, seed=seed) for seed in range(50)]
    assert all(0.9 * seconds <= wait <= 1.1 * seconds for wait in waits)
    assert len(set(waits)) > 40


def test_own_interval_comes_before_the_servers() -> None:
    daily = replace(FEED, interval=24 * HOUR)
    assert 0.9 * 24 * HOUR <= _wait(0, daily) <= 1.1 * 24 * HOUR


def test_retry_is_never_later_than_the_interval() -> None:
    assert _wait(9, replace(FEED, interval=600)) <= 660


def test_feed_is_due_when_never_synced_or_its_time_has_come() -> None:
    """R-F12: each feed has a clock of its own."""
    assert is_due(FEED, FeedState(), HOUR, NOW)
    assert is_due(FEED, FeedState(next_due=NOW), HOUR, NOW)
    assert not is_due(FEED, FeedState(next_due=NOW + timedelta(seconds=1)), HOUR, NOW)
    assert not is_due(replace(FEED, enabled=False), FeedState(), HOUR, NOW)


def test_clock_that_was_set_back_does_not_silence_a_feed() -> None:
    assert is_due(FEED, FeedState(next_due=NOW + timedelta(days=30)), HOUR, NOW)


def test_longest_overdue_feed_comes_first() -> None:
    late = (replace(FEED, name="late"), FeedState(next_due=NOW - timedelta(hours=5)))
    later = (replace(FEED, name="later"), FeedState(next_due=NOW - timedelta(hours=1)))
    new = (replace(FEED, name="new"), FeedState())
    rest = (replace(FEED, name="rest"), FeedState(next_due=NOW + timedelta(seconds=5)))
    assert [feed.name for feed, _ in due([rest, later, late, new], HOUR, NOW)] == ["new", "late", "later"]
