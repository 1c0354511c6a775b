"""When a feed is synced: each on its own clock, with jitter, so that no server is asked by everyone at once (R-F12)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sinkhole.policy.feed import Feed, FeedState

RETRIES: Final = (60.0, 300.0, 900.0, 3600.0)
"""Seconds to wait after the first, second, third and every further failure in a row."""
JITTER: Final = 0.1


def next_sync(feed: Feed, interval: int, failures: int, now: datetime, random: Random) -> datetime:
    """Return when a feed is due again.

    Args:
        feed: its own interval comes before the server's.
        interval: the server's, in seconds.
        failures: in a row; 0 after a success.
        now: aware UTC.
        random: for the jitter.
    """
    wait = float(feed.interval or interval)
    if failures:
        wait = min(wait, RETRIES[min(failures, len(RETRIES)) - 1])
    return now + timedelta(seconds=wait * random.uniform(1 - JITTER, 1 + JITTER))


def is_due(feed: Feed, state: FeedState, interval: int, now: datetime) -> bool:
    """Return whether a feed should be synced now."""
    if not feed.enabled:
        return False
    if state.next_due is None or state.next_due <= now:
        return True
    # A clock that was set back would else silence the feed until it has caught up.
    longest = timedelta(seconds=(feed.interval or interval) * (1 + JITTER))
    return state.next_due > now + longest


def due(feeds: Iterable[tuple[Feed, FeedState]], interval: int, now: datetime) -> list[tuple[Feed, FeedState]]:
    """Return the feeds that should be synced now, the longest overdue first."""
    found = [(feed, state) for feed, state in feeds if is_due(feed, state, interval, now)]
    return sorted(found, key=lambda pair: pair[1].next_due or datetime.min.replace(tzinfo=now.tzinfo))
