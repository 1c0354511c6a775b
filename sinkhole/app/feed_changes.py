"""Change feeds, as the command line and the admin side do it; `apply` puts it in force."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from yarl import URL

from sinkhole.app.data_dir import list_folder
from sinkhole.app.state import State, put_feed
from sinkhole.catalogue.signature import PublicKey
from sinkhole.errors import FeedError
from sinkhole.feeds.diff import Diff
from sinkhole.feeds.local_file import expect_inside, path_of
from sinkhole.feeds.parse import READERS
from sinkhole.feeds.revise import approve, roll_back
from sinkhole.feeds.visit import read_url
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.policy.subject import Subject, SubjectKind

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SHORTEST_INTERVAL = 300
"""Seconds between syncs of a feed."""


def add_feed(state: State, feed: Feed) -> bool:
    """Add the list at a URL, or configure that of the same name anew; return whether there was one.

    Args:
        feed: with an empty name to make one from the URL.

    Raises:
        FeedError: its URL, name, format, interval or key is not good.
    """
    wanted = _checked(state, feed)
    is_known = any(known.name == wanted.name for known, _ in state.feeds.all())
    put_feed(state, wanted)
    return is_known


def named(feed: Feed) -> Feed:
    """Return a feed with a name, made from its URL where it has none.

    Raises:
        FeedError: the URL can never be fetched.
    """
    _expect_url(feed.url)
    return feed if feed.name else replace(feed, name=_name_from(feed.url))


def remove_feed(state: State, name: str) -> Feed:
    """Remove a feed and the statements on it; its versions are left to `forget_versions`, once that is in force.

    Raises:
        FeedError: there is none of this name.
    """
    with state.store.transaction():
        feed = state.feeds.remove(name)
        for said in state.policy.statements():
            if said.subject == Subject(SubjectKind.FEED, name):
                state.policy.remove(said.subject, said.group, said.schedule or "always")
    return feed


def forget_versions(state: State, name: str) -> None:
    """Delete the versions of a feed that was removed."""
    state.snapshots.remove(name)


def switch_feed(state: State, name: str, *, enabled: bool) -> tuple[Feed, FeedState]:
    """Turn a feed on or off; return it and how it stands.

    Raises:
        FeedError: there is none of this name.
    """
    feed, known = state.feeds.get(name)
    after = replace(feed, enabled=enabled)
    put_feed(state, after)
    return after, known


def approve_version(state: State, name: str) -> FeedState:
    """Take over the version of a feed that waits for approval; return how it stands then.

    Raises:
        FeedError: there is no such feed, none waits, or it is broken.
    """
    return _revise(state, name, "approved", lambda known, now: approve(state.snapshots, name, known, now))


def roll_feed_back(state: State, name: str, version: int | None) -> FeedState:
    """Put another version of a feed into force (None: the one before); return how it stands then.

    Raises:
        FeedError: there is no such feed or version, or it is broken.
    """
    return _revise(state, name, "rolled back", lambda known, now: roll_back(state.snapshots, name, known, now, version))


def diff_of_feed(state: State, name: str, old: int | None, new: int | None, limit: int | None) -> tuple[int, int, Diff]:
    """Return two versions of a feed, and what the newer adds and removes.

    Args:
        new: None: the one that waits, else the one in force.
        old: None: the one in force where `new` waits, else the one before.
        limit: rows of each kind; None for all.

    Raises:
        FeedError: there is no such feed or version.
    """
    _, known = state.feeds.get(name)
    new = new or known.pending_version or known.version
    older = [version for version in state.snapshots.versions(name) if version < new]
    old = old or (known.version if known.pending_version == new and known.version else max(older, default=0))
    if not old:
        raise FeedError(f"feed {name} has {'only one version' if new else 'no version yet'}: nothing to compare")
    return old, new, state.snapshots.diff(name, old, new, limit)


def _revise(state: State, name: str, what: str, change: Callable[[FeedState, datetime], FeedState]) -> FeedState:
    _, known = state.feeds.get(name)
    after = change(known, datetime.now(UTC))
    state.feeds.put_state(name, after, what)
    return after


def _checked(state: State, feed: Feed) -> Feed:
    feed = named(feed)
    if is_local := read_url(feed.url).scheme == "file":
        expect_inside(path_of(feed.url), list_folder(state.settings))
    if not _NAME.fullmatch(feed.name):
        raise FeedError(f"feed name {feed.name!r}: wanted lower-case letters, digits and -; give one with --name")
    if feed.format not in ("auto", *READERS):
        raise FeedError(f"feed {feed.name}: there is no format {feed.format!r}; there are auto, {', '.join(READERS)}")
    if feed.interval is not None and feed.interval < SHORTEST_INTERVAL:
        raise FeedError(f"feed {feed.name}: wanted {SHORTEST_INTERVAL} seconds or more between syncs")
    key = None if feed.key is None else _read_key(feed, feed.key)
    return replace(feed, key=key, local=is_local)


def _read_key(feed: Feed, key: str) -> str:
    """Return the key as it is stored; refuse it for what is no catalogue as a whole."""
    if feed.format != "catalogue":
        raise FeedError("--key is for catalogues: give --format catalogue with it")
    if feed.match != "format" or feed.part_of_ai:
        raise FeedError("--match and --ai are for lists: a catalogue says itself how names match and what is AI")
    return PublicKey.from_text(key).to_text()


def _expect_url(url: str) -> None:
    """Refuse what can never be fetched; whether it may be fetched is seen when it is."""
    parsed = read_url(url)
    if parsed.scheme not in ("https", "http", "file") or (parsed.scheme != "file" and not parsed.host):
        raise FeedError(f"feed URL {url!r}: wanted https://…, or file:NAME of a file in the lists folder")


def _name_from(url: str) -> str:
    parts = [part for part in URL(url).path.split("/") if part]
    stem = (parts[-1] if parts else URL(url).host or "feed").rsplit(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63] or "feed"
