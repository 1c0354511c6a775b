"""Feeds: how they stand, and what is done about their versions; syncs, and how they went."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BeforeValidator, Field

from sinkhole.app.feed_changes import (
    SHORTEST_INTERVAL,
    add_feed,
    approve_version,
    diff_of_feed,
    forget_versions,
    named,
    remove_feed,
    roll_feed_back,
    switch_feed,
)
from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.app.sync_now import expect_feeds, wanted_feeds
from sinkhole.errors import FeedError
from sinkhole.policy.feed import Feed, FeedState
from sinkhole.web.actor import Actor
from sinkhole.web.context import PEER, Context
from sinkhole.web.events import stream
from sinkhole.web.live import Event, Topic
from sinkhole.web.model import (
    Model,
    Number,
    Page,
    Paged,
    Word,
    number_of_cursor,
    page_of,
    whole,
)
from sinkhole.web.problem import not_found
from sinkhole.web.serve_api import answer_with
from sinkhole.web.shapes import SyncRun
from sinkhole.web.syncing import SyncJob

FeedName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class FeedPlace(Model):
    """A feed."""

    feed: FeedName


class FeedBody(Model):
    """A list to add, or to configure anew."""

    url: Word = Field(description="https://…, or file:NAME of a file in the lists folder.")
    name: FeedName | None = Field(None, description="Made from the URL unless given.")
    format: Word = Field("auto", description="auto, or the name of a format.")
    match: Literal["format", "exact", "suffix"] = "format"
    part_of_ai: bool = Field(False, description="Its rows belong to the subject ai instead of a statement.")
    allow_private: bool = Field(False, description="Its host may be inside the network.")
    interval: Annotated[int, Field(ge=SHORTEST_INTERVAL, lt=2**31)] | None = Field(
        None, description="Seconds between syncs."
    )
    key: Word | None = Field(None, description="It is the catalogue, and signed with this minisign key.")

    def to_feed(self) -> Feed:
        """Return it as it is read."""
        return named(
            Feed(
                self.name or "", self.url, self.format, self.match, self.part_of_ai, allow_private=self.allow_private,
                interval=self.interval, key=self.key,
            )
        )  # fmt: skip


class RollbackBody(Model):
    """The version to go back to."""

    version: int | None = Field(None, ge=1, lt=2**31, description="Left out: the one before.")


class FeedShown(Model):
    """A feed, and how it stands; `changed_at` tells the age of its content, `fetched_at` when it was reached."""

    name: str
    url: str
    format: str
    match: str
    part_of_ai: bool
    enabled: bool
    allow_private: bool
    local: bool
    interval: int | None
    licence: str | None
    homepage: str | None
    key: str | None
    status: str
    version: int
    pending_version: int | None
    sha256: str | None
    fetched_at: datetime | None
    changed_at: datetime | None
    next_due: datetime | None
    failures: int
    rules: int
    rejected: int
    message: str | None
    versions: list[int]

    @classmethod
    def of(cls, state: State, feed: Feed, known: FeedState) -> "FeedShown":
        """Return a feed."""
        told = asdict(feed) | asdict(known) | {"status": known.status.value}
        return cls(**{name: told[name] for name in cls.model_fields if name != "versions"},
                   versions=state.snapshots.versions(feed.name))  # fmt: skip


class RejectedRow(Model):
    """A row that was not accepted."""

    line: int
    column: int
    why: str
    text: str


class RejectedRows(Model):
    """The rows of a version that were not accepted, as far as they are kept."""

    version: int
    items: list[RejectedRow]


class DiffQuery(Model):
    """Which versions are compared."""

    old: Number | None = Field(None, description="Left out: the one in force, or the one before.")
    new: Number | None = Field(None, description="Left out: the one that waits, or the one in force.")
    limit: Annotated[int, Field(ge=0, le=1000), BeforeValidator(whole)] = Field(50, description="Rows of each kind.")


class DiffShown(Model):
    """What a version adds and removes; the rows are some of them."""

    old: int
    new: int
    added: int
    removed: int
    added_rows: list[str]
    removed_rows: list[str]


class RunQuery(Paged):
    """Which syncs."""

    feed: FeedName | None = None


class SyncBody(Model):
    """What to sync."""

    feeds: list[FeedName] = Field([], max_length=200, description="None: all that are enabled.")
    force: bool = Field(False, description="Fetch the content even if the server says that it has not changed.")


class SyncShown(Model):
    """The last sync that was started over the API or a page, or the one under way."""

    last: SyncJob | None


def list_feeds(state: State, query: Paged) -> Page[FeedShown]:
    """List feeds and how they stand."""
    return page_of([FeedShown.of(state, *pair) for pair in state.feeds.all()], query, lambda one: one.name)


def show_feed(state: State, place: FeedPlace) -> FeedShown:
    """Show a feed and how it stands."""
    return FeedShown.of(state, *_of(state, place))


def feed_diff(state: State, place: FeedPlace, query: DiffQuery) -> DiffShown:
    """Tell what a version of a feed adds and removes."""
    _of(state, place)
    old, new, found = diff_of_feed(state, place.feed, query.old, query.new, query.limit)
    return DiffShown(
        old=old, new=new, added=found.added, removed=found.removed, added_rows=list(found.added_rows),
        removed_rows=list(found.removed_rows),
    )  # fmt: skip


def feed_rejections(state: State, place: FeedPlace) -> RejectedRows:
    """Tell the rows of a feed that were not accepted."""
    _, known = _of(state, place)
    version = known.pending_version or known.version
    found = state.snapshots.rejections(place.feed, version) if version else []
    rows = [RejectedRow(line=r.line, column=r.column, why=r.why, text=r.text) for r in found]
    return RejectedRows(version=version, items=rows)


def put_feed(state: State, body: FeedBody) -> FeedShown:
    """Add a list, or configure that of the same name anew; it has no rules before it is synced."""
    feed = body.to_feed()
    add_feed(state, feed)
    return FeedShown.of(state, *state.feeds.get(feed.name))


def feed_before(state: State, body: FeedBody) -> FeedShown | None:
    """Return the feed of this name as it is, or None."""
    return _before(state, body.to_feed().name)


def feed_now(state: State, place: FeedPlace) -> FeedShown | None:
    """Return the feed as it is, or None."""
    return _before(state, place.feed)


def delete_feed(state: State, place: FeedPlace) -> FeedShown:
    """Remove a feed, its rules, its versions and the statements on it."""
    gone = FeedShown.of(state, *_of(state, place))
    remove_feed(state, place.feed)
    return gone


def forget_feed(state: State, place: FeedPlace) -> None:
    """Delete the versions of a feed that is out of force."""
    forget_versions(state, place.feed)


def enable_feed(state: State, place: FeedPlace) -> FeedShown:
    """Sync a feed and put its rules in force."""
    return _switch(state, place, enabled=True)


def disable_feed(state: State, place: FeedPlace) -> FeedShown:
    """Take the rules of a feed out of force; its versions stay."""
    return _switch(state, place, enabled=False)


def approve_feed(state: State, place: FeedPlace) -> FeedShown:
    """Put the version of a feed that waits for approval in force."""
    _of(state, place)
    approve_version(state, place.feed)
    return FeedShown.of(state, *state.feeds.get(place.feed))


def roll_back_feed(state: State, place: FeedPlace, body: RollbackBody) -> FeedShown:
    """Put an older version of a feed in force; what was left is not taken over again."""
    _of(state, place)
    roll_feed_back(state, place.feed, body.version)
    return FeedShown.of(state, *state.feeds.get(place.feed))


def list_runs(state: State, query: RunQuery) -> Page[SyncRun]:
    """List syncs of feeds, the newest first."""
    before = number_of_cursor(query.cursor)
    rows = state.feeds.runs_of_all(query.limit + 1, before=before, feed=query.feed)
    found = [SyncRun.of(row) for row in rows]
    shown = found[: query.limit]
    return Page[SyncRun](items=shown, next=str(shown[-1].id) if len(found) > len(shown) else None)


async def start_sync(context: Context, request: web.Request, actor: Actor, body: SyncBody) -> web.StreamResponse:
    """Start a sync; how it goes is told by `/sync` and `/sync/live`."""
    names = tuple(body.feeds)

    def look(state: State) -> list[str]:
        expect_feeds(state, names)
        return wanted_feeds(state, names)

    feeds = await context.work.readers.do(look)
    job = context.syncing.start(actor.who, f"web from {request[PEER].address}", feeds, names, force=body.force)
    return answer_with(SyncShown(last=job), 202)


async def show_sync(context: Context) -> web.StreamResponse:
    """Tell how the last sync went that was started here."""
    return answer_with(SyncShown(last=context.syncing.last), 200)


async def live_sync(request: web.Request, actor: Actor, context: Context) -> web.StreamResponse:
    """Tell how syncs go, as it happens.

    Events: `sync`, how the sync stands that was started here; `run`, the sync of a feed that ended, whoever began it.
    """
    last = context.syncing.last
    first = None if last is None else Event("sync", last.model_dump_json())
    return await stream(request, actor, Topic.SYNC, Right.READ, "feeds", first)


def _of(state: State, place: FeedPlace) -> tuple[Feed, FeedState]:
    try:
        return state.feeds.get(place.feed)
    except FeedError as error:
        raise not_found(f"feed {place.feed!r}") from error


def _before(state: State, name: str) -> FeedShown | None:
    found = [pair for pair in state.feeds.all() if pair[0].name == name]
    return FeedShown.of(state, *found[0]) if found else None


def _switch(state: State, place: FeedPlace, *, enabled: bool) -> FeedShown:
    _of(state, place)
    switch_feed(state, place.feed, enabled=enabled)
    return FeedShown.of(state, *state.feeds.get(place.feed))
