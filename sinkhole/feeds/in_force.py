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
    """Return what a feed has in force, None when it has nothing.

    A broken version is never loaded: the newest whole one before it takes its place, and the next sync fetches anew.

    Raises:
        FeedError: while reading, when the disk fails under it.
    """
    if not state.version:
        return None
    version: int | None = state.version
    if not snapshots.is_whole(feed.name, state.version):
        version = snapshots.older(feed.name, state.version)
        _LOG.error("feed.snapshot_broken", feed=feed.name, version=state.version, instead=version)
    if version is None:
        return None
    fingerprint = snapshots.meta(feed.name, version).checksums["rules"]
    return InForce(version, fingerprint, snapshots.rules(feed.name, version))
