"""What is known of a feed: how it is configured, and how its last syncs went."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class FeedStatus(Enum):
    """How the last sync of a feed ended."""

    NEW = "new"
    """Never synced."""
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """The sync failed; the last good rules stay in force."""
    QUARANTINED = "quarantined"
    """New content waits for `feeds approve`; the last good rules stay in force."""
    FAILED = "failed"
    """The sync failed and there are no last good rules."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One list, as configured.

    Attributes:
        name: lower-case letters, digits and `-`.
        url: where it is fetched; `file:` names a file below the list folder.
        format: name of a format of `sinkhole.feeds.formats`, or `auto`.
        match: `format` (the convention of the format), `exact` or `suffix`.
        part_of_ai: its rows belong to the subject `ai` as well as to `feed:NAME`.
        allow_private: may resolve to private addresses.
        local: a list of the administrator, which may do more than block.
        interval: seconds between syncs, or None for the server's setting.
        licence, homepage: words for people.
        key: public key that it must be signed with; such a feed is a whole catalogue, and no list.
    """

    name: str
    url: str
    format: str = "auto"
    match: str = "format"
    part_of_ai: bool = False
    enabled: bool = True
    allow_private: bool = False
    local: bool = False
    interval: int | None = None
    licence: str | None = None
    homepage: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed stands. Times are aware UTC; `version` numbers its snapshots on disk, 0 for none.

    `fetched_at` is the last successful contact, `changed_at` the time its content last changed (content age).
    `pending_version` is a quarantined snapshot that waits for approval. `message` says why the last sync ended so.
    """

    status: FeedStatus = FeedStatus.NEW
    version: int = 0
    pending_version: int | None = None
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    fetched_at: datetime | None = None
    changed_at: datetime | None = None
    next_due: datetime | None = None
    failures: int = 0
    rules: int = 0
    rejected: int = 0
    message: str | None = None
