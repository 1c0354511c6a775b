"""Remote lists of another resolver as feeds: those that are known here already are not fetched twice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sinkhole.app.import_names import Names
from sinkhole.app.state import State
from sinkhole.errors import FeedError
from sinkhole.feeds.defaults import default_feeds
from sinkhole.feeds.visit import read_url
from sinkhole.foreign.model import Foreign, ForeignList, union
from sinkhole.packaged import packaged_path
from sinkhole.policy.feed import Feed


@dataclass(frozen=True, slots=True)
class PlannedFeed:
    """A feed as it is to be configured, and the list that it stands for.

    `is_ours` tells a feed of this installation from one that an import brings or brought.
    """

    feed: Feed
    source: ForeignList
    is_ours: bool


def plan_feeds(state: State, foreign: Foreign, names: Names) -> list[PlannedFeed]:
    """Return the feeds that the lists are; one that is here already stays as it is."""
    here = {feed.url: feed for feed, _ in state.feeds.all()}
    defaults = {feed.url: feed for feed in default_feeds(packaged_path("blocklists"))}
    used = {feed.name: feed.url for feed in (*defaults.values(), *here.values())}
    planned = []
    for one in _by_url(foreign):
        if not _can_be_fetched(one, state, foreign):
            continue
        is_on = one.is_enabled and not foreign.is_off
        feed = here.get(one.url)
        if feed is None:
            feed = defaults.get(one.url) or Feed(names.feed(one.url, one.hint, used), one.url, one.format)
            feed = replace(feed, enabled=is_on)
            used[feed.name] = feed.url
        elif is_on and not feed.enabled:
            why = f"is feed {feed.name} here and off, which stays; switch it on with: sinkhole feeds enable {feed.name}"
            foreign.alter(one.place, one.url, why)
        if feed.part_of_ai and None not in one.scopes:
            why = f"is feed {feed.name} here, whose rows belong to ai for all clients"
            foreign.alter(one.place, one.url, why)
        planned.append(PlannedFeed(feed, one, is_ours=not names.is_imported(feed.name)))
    return planned


def _by_url(foreign: Foreign) -> Iterator[ForeignList]:
    """Yield each URL once: for all whom it is named for, and on if it is on anywhere."""
    by_url: dict[str, list[ForeignList]] = {}
    for one in foreign.lists:
        by_url.setdefault(one.url, []).append(one)
    for same in by_url.values():
        is_enabled = any(one.is_enabled for one in same)
        schedules = {one.schedule for one in same}
        if len(schedules) > 1:
            foreign.alter(same[0].place, same[0].url, "is named with several schedules; it holds at all times here")
        schedule = same[0].schedule if len(schedules) == 1 else None
        yield replace(same[0], scopes=union(one.scopes for one in same), is_enabled=is_enabled, schedule=schedule)


def _can_be_fetched(one: ForeignList, state: State, foreign: Foreign) -> bool:
    try:
        url = read_url(one.url)
    except FeedError as error:
        foreign.leave_out(one.place, one.url, str(error))
        return False
    if url.scheme not in ("http", "https") or not url.host or not one.url.isprintable():
        foreign.leave_out(
            one.place, one.url, "is fetched over https only; a file goes into lists/: sinkhole feeds add file:NAME"
        )
        return False
    if url.scheme == "http" and not state.settings.feeds.allow_http:
        foreign.alter(one.place, one.url, "is fetched over http, which feeds.allow_http must permit")
    return True
