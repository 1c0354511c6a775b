"""The gate for new versions of feeds: one that breaks an expectation is held, and the version before it stays in force.

What a person changes is judged before it is stored (`expectations.gated`); a version comes by itself, and is put back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sinkhole.errors import FeedError
from sinkhole.feeds.revise import hold_back
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.log import Log
from sinkhole.policy.engine import Policy
from sinkhole.policy.expectation import Broken, Expectation, broken_of, newly_broken
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.store.feed_store import FeedStore

_LOG = Log("expectations")
Standing = tuple[Feed, FeedState]
Draft = Callable[[Sequence[Standing]], Policy]


@dataclass(frozen=True, slots=True)
class Refused:
    """A version of a feed that was held back, and what it breaks."""

    feed: str
    version: int
    kept: int
    broken: tuple[Broken, ...]

    def __str__(self) -> str:
        kept = f"version {self.kept} stays in force" if self.kept else "it has no version in force"
        broken = "; ".join(f"it breaks the expectation {one}" for one in self.broken)
        return f"feed {self.feed}: version {self.version} is held back: {broken}; {kept}"


def hold_breaking(
    feeds: FeedStore, snapshots: Snapshots, before: Mapping[str, int], expected: Sequence[Expectation], draft: Draft
) -> tuple[Refused, ...]:
    """Put back each feed whose new version breaks an expectation that holds without it.

    Args:
        feeds: how feeds stand; of those put back the standing is changed.
        snapshots: their versions.
        before: the versions in force.
        expected: what must hold.
        draft: makes the policy that there would be with feeds that stand so.

    Raises:
        SinkholeError: the policy cannot be made, or the store cannot be written.
    """
    standing = feeds.all()
    swapped = [pair for pair in standing if pair[0].enabled and pair[1].version != before.get(pair[0].name, 0)]
    now = datetime.now(UTC)
    all_broken = broken_of(draft(standing), expected, now)
    known: tuple[Broken, ...] = ()
    refused: list[Refused] = []
    if swapped and all_broken:
        taken = {feed.name: replace(state, version=before.get(feed.name, 0)) for feed, state in swapped}
        known = broken_of(draft(_with(standing, taken)), expected, now)
        for feed, state in swapped if newly_broken(known, all_broken) else []:
            trial = taken | {feed.name: state}
            broken = newly_broken(known, broken_of(draft(_with(standing, trial)), expected, now))
            if broken:
                refused += _hold(feeds, snapshots, feed, state, taken[feed.name].version, broken)
            else:
                taken = trial
    for one in known if swapped else all_broken:
        _LOG.warning("expectation.broken", expectation=one.expectation, found=one.found)
    return tuple(refused)


def _with(standing: Sequence[Standing], taken: Mapping[str, FeedState]) -> list[Standing]:
    return [(feed, taken.get(feed.name, state)) for feed, state in standing]


def _hold(
    feeds: FeedStore, snapshots: Snapshots, feed: Feed, state: FeedState, version: int, broken: tuple[Broken, ...]
) -> list[Refused]:  # fmt: skip
    why = tuple(f"it breaks the expectation {one}" for one in broken)
    try:
        after = hold_back(snapshots, feed.name, state, version, why)
    except FeedError as error:
        # The rules in force exist in compiled form only; the next compilation would be without them.
        _LOG.error("feed.not_held", feed=feed.name, version=state.version, why=error, breaks="; ".join(why))
        return []
    feeds.put_state(feed.name, after)
    feeds.note_run(feed.name, after, 0)
    refused = Refused(feed.name, state.version, version, broken)
    _LOG.error("feed.refused", feed=feed.name, version=state.version, kept=version, why="; ".join(why))
    return [refused]
