"""What is done with the versions of a feed: approve a held one, go back to an older one, hold one that does harm."""

from dataclasses import replace
from datetime import datetime

from sinkhole.errors import FeedError
from sinkhole.feeds.outcome import adopted, held
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.policy.feed import FeedState


def approve(snapshots: Snapshots, name: str, state: FeedState, now: datetime) -> FeedState:
    """Take over the version that waits for approval; return the state to store.

    Raises:
        FeedError: none waits, or it is broken.
    """
    if state.pending_version is None:
        raise FeedError(f"feed {name} has no version that waits for approval")
    meta = snapshots.release(name, state.pending_version)
    return adopted(state, meta, state.pending_version, now, f"version {state.pending_version} was approved")


def roll_back(
    snapshots: Snapshots, name: str, state: FeedState, now: datetime, version: int | None = None
) -> FeedState:
    """Put another version into force; return the state to store.

    The content of the versions gone back from is not taken over again until it changes.

    Args:
        snapshots: where the versions are.
        name: of the feed.
        state: how it stands.
        now: aware UTC.
        version: which; None for the newest whole one that was in force before the present one.

    Raises:
        FeedError: there is no such version, or it is broken.
    """
    target = version if version is not None else snapshots.older(name, state.version)
    if target is None:
        raise FeedError(f"feed {name} has no older version to go back to")
    if target == state.version:
        raise FeedError(f"feed {name}: version {target} is in force")
    meta = snapshots.release(name, target)
    for newer in snapshots.versions(name):
        if target < newer <= state.version:
            snapshots.refuse(name, newer)
    return adopted(state, meta, target, now, f"rolled back from version {state.version} to {target}")


def hold_back(snapshots: Snapshots, name: str, state: FeedState, before: int, why: tuple[str, ...]) -> FeedState:
    """Let the version in force wait for approval, and the one before it be in force; return the state to store.

    Args:
        snapshots: where the versions are.
        name: of the feed.
        state: how it stands, with the version to hold.
        before: the version to put in its place; 0 for none.
        why: why it waits.

    Raises:
        FeedError: one of the versions is not there, or is broken.
    """
    if before:
        good = snapshots.verify(name, before)
        kept = adopted(state, good, before, datetime.fromisoformat(good.created), None)
    else:
        kept = FeedState()
    meta = snapshots.hold(name, state.version, why)
    if before:
        snapshots.readmit(name, before)
    now = datetime.fromisoformat(meta.created)
    return replace(held(kept, meta, state.version, now, now), fetched_at=state.fetched_at, next_due=state.next_due)
