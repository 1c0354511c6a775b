"""Feeds come back as they were put in; how they are configured and how they stand do not disturb each other."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sinkhole.errors import FeedError
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from sinkhole.store import feed_store
from sinkhole.store.audit import entries
from sinkhole.store.feed_store import FeedStore

FEED = Feed("doh", "https://example.org/doh.txt")
FULL = Feed(
    "full", "file:x.txt", "hosts", "suffix", True, False, True, True, 600, "MIT", "https://example.org", "RWkey",
)  # fmt: skip
STATE = FeedState(
    FeedStatus.QUARANTINED, 4, 5, "0" * 64, '"etag"', "Mon, 01 Jan 2024 00:00:00 GMT",
    datetime(2026, 1, 1, tzinfo=UTC), datetime.fromtimestamp(0, UTC), datetime(2026, 1, 2, tzinfo=UTC),
    3, 1000, 7, "shrank from 1000 to 10 rules",
)  # fmt: skip


@pytest.fixture
def feeds(store):
    return FeedStore(store, "admin")


def test_feed_is_new_when_put(feeds):
    feeds.put(FULL)
    feeds.put(FEED)
    assert feeds.all() == [(FEED, FeedState()), (FULL, FeedState())]
    assert feeds.get("full") == (FULL, FeedState())


@pytest.mark.parametrize("status", FeedStatus)
def test_state_comes_back_as_it_was_put(feeds, status):
    feeds.put(FEED)
    feeds.put_state("doh", replace(STATE, status=status))
    assert feeds.get("doh") == (FEED, replace(STATE, status=status))


def test_changed_configuration_leaves_the_state_alone(feeds):
    """R-F09: validators outlive a restart and a change."""
    feeds.put(FEED)
    feeds.put_state("doh", STATE)
    feeds.put(replace(FEED, enabled=False))
    assert feeds.get("doh") == (replace(FEED, enabled=False), STATE)


def test_unknown_feed_is_said(feeds):
    for ask in (lambda: feeds.get("x"), lambda: feeds.remove("x"), lambda: feeds.put_state("x", STATE)):
        with pytest.raises(FeedError, match="there is no feed 'x'"):
            ask()


def test_removed_feed_takes_its_runs_along(feeds):
    feeds.put(FEED)
    feeds.note_run("doh", STATE, 12)
    assert feeds.remove("doh") == FEED
    assert feeds.all() == []
    assert feeds.runs("doh") == []


def test_changes_by_people_are_in_the_audit_log_and_syncs_are_not(feeds, store):
    feeds.put(FEED)
    feeds.put_state("doh", STATE)
    feeds.put_state("doh", replace(STATE, pending_version=None), "approved")
    feeds.remove("doh")
    with store.reading() as connection:
        found = list(reversed(entries(connection)))
    assert [entry.what for entry in found] == ["feed doh", "feed doh approved", "feed doh removed"]
    assert found[0].before is None
    assert '"url": "https://example.org/doh.txt"' in found[2].before


def test_newest_runs_come_first_and_the_oldest_are_dropped(feeds, store):
    for name in ("doh", "other"):
        feeds.put(replace(FEED, name=name))
    feeds.note_run("other", STATE, 1)
    with store.transaction():
        for number in range(feed_store.RUNS_KEPT + 5):
            feeds.note_run("doh", replace(STATE, rules=number), 10)
    runs = feeds.runs("doh", limit=1000)
    assert len(runs) == feed_store.RUNS_KEPT
    assert runs[0]["rules"] == feed_store.RUNS_KEPT + 4
    assert (runs[0]["status"], runs[0]["took_ms"], runs[0]["message"]) == ("quarantined", 10, STATE.message)
    assert len(feeds.runs("doh")) == 20
    assert len(feeds.runs("other")) == 1
