"""The rules of a feed that are in force, from disk: what the policy is compiled from, with or without a network."""

from collections.abc import Iterator
from dataclasses import dataclass

from sinkhole.feeds.snapshot import Snapshots
from sinkhole.log import Log
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.policy.rule import Rule

_LOG = Log("feeds")


@dataclass(frozen=True, slots=True)
class InForce:
    """A version in force. `fingerprint` changes with the rules; `rules` are read while they are asked for, once."""

    version: int
    fingerprint: str
    rules: Iterator[Rule]


def rules_in_force(snapshots: Snapshots, feed: Feed, state: FeedState) -> InForce | None:
    """Return what a list has in force, None when it has nothing, or a catalogue from when the feed had a key.

    Raises:
        FeedError: while reading, when the disk fails under it.
    """
    version = version_in_force(snapshots, feed, state)
    if version is None:
        return None
    meta = snapshots.meta(feed.name, version)
    if meta.key is not None:
        return None
    return InForce(version, meta.checksums["rules"], snapshots.rules(feed.name, version))


def version_in_force(snapshots: Snapshots, feed: Feed, state: FeedState) -> int | None:
    """Return the version of a feed that is in force, None when none is.

    A broken version is never loaded: the newest whole one before it takes its place, and the next sync fetches anew.
    """
    if not state.version or snapshots.is_whole(feed.name, state.version):
        return state.version or None
    older = snapshots.older(feed.name, state.version)
    _LOG.error("feed.snapshot_broken", feed=feed.name, version=state.version, instead=older)
    return older
