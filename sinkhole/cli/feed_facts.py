"""How one feed stands, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sinkhole.cli.output import count_of, local_time
from sinkhole.policy.feed import Feed, FeedState

if TYPE_CHECKING:
    from sinkhole.app.catalogue_in_force import CatalogueInForce

_MATCHED = {
    "format": "rows match as the format says",
    "exact": "rows match the name alone",
    "suffix": "rows match the name and all below",
}


def facts(feed: Feed, known: FeedState, versions: list[int]) -> list[tuple[str, object]]:
    """Return what there is to say of a feed, as pairs of label and value; `versions` are those on disk."""
    kept = f"on disk: {', '.join(map(str, versions))}" if versions else "none on disk"
    return [
        ("feed", feed.name),
        ("url", feed.url),
        ("licence", feed.licence or "not stated"),
        ("format", f"{feed.format}; {_MATCHED[feed.match]}"),
        ("is", "on" if feed.enabled else "off"),
        ("subject", _subject(feed)),
        ("status", f"{known.status.value}: {known.message}" if known.message else known.status.value),
        ("version", f"{known.version or 'none'} in force, {kept}"),
        ("waiting", _waiting(feed, known)),
        ("rules", f"{known.rules}, {count_of(known.rejected, 'row')} not accepted"),
        ("content of", local_time(known.changed_at)),
        ("reached", local_time(known.fetched_at) if known.fetched_at else "never"),
        ("next sync", _next_sync(feed, known)),
    ]


def catalogue_facts(feed: Feed, publication: int | None, found: CatalogueInForce) -> list[tuple[str, object]]:
    """Return what there is to say of a feed that brings a catalogue; `publication` is the one it has in force."""
    if feed.name in found.faults:
        said = f"cannot be used: {found.faults[feed.name]}; in force is {catalogue_words(found)}"
    elif found.feed == feed.name:
        said = f"in force: {catalogue_words(found)}"
    else:
        has = f"version {publication} is not above it" if publication else "none yet"
        said = f"{has}; in force is {catalogue_words(found)}"
    return [("key", feed.key), ("catalogue", said)]


def catalogue_words(found: CatalogueInForce) -> str:
    """Return which catalogue is in force."""
    source = f"of feed {found.feed}" if found.feed else "of this installation"
    return f"version {found.catalogue.version} of {found.catalogue.published}, that {source}"


def _subject(feed: Feed) -> str:
    if feed.key is not None:
        return "none; it brings the catalogue"
    return f"feed:{feed.name} and ai" if feed.part_of_ai else f"feed:{feed.name}"


def _waiting(feed: Feed, known: FeedState) -> str:
    if known.pending_version is None:
        return "nothing"
    return f"version {known.pending_version}, for: sinkhole feeds approve {feed.name}"


def _next_sync(feed: Feed, known: FeedState) -> str:
    if not feed.enabled:
        return "never, it is off"
    return local_time(known.next_due) if known.next_due else "at once where a server runs, else with: sinkhole sync"
