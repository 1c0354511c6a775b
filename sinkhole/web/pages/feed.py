"""One feed: how it stands, why a version waits and what it would change, its versions, runs and refused rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from sinkhole.app.rights import Right
from sinkhole.app.state import State
from sinkhole.errors import FeedError
from sinkhole.feeds.snapshot import Meta
from sinkhole.web.actor import Actor
from sinkhole.web.api.feeds import (
    DiffQuery,
    DiffShown,
    FeedPlace,
    FeedShown,
    RejectedRow,
    RollbackBody,
    RunQuery,
    approve_feed,
    delete_feed,
    disable_feed,
    enable_feed,
    feed_diff,
    feed_now,
    feed_rejections,
    forget_feed,
    list_runs,
    roll_back_feed,
    show_feed,
)
from sinkhole.web.api.policy import StatementShown, in_order
from sinkhole.web.context import Context
from sinkhole.web.model import Number, Paged, Word
from sinkhole.web.pages.change import Done, Guard, Refused, body_of, change, version_of
from sinkhole.web.pages.feeds import age_in_words
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.syncing import Outcome

_RUNS = 10
_ROWS = 200
"""Rows of each kind that a comparison shows."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is kept; `meta` is None where it is broken, `is_refused` where somebody went back from it."""

    number: int
    meta: Meta | None
    is_current: bool
    is_waiting: bool
    is_refused: bool


class DiffAsked(DiffQuery):
    """Which versions are compared."""

    limit: int = _ROWS


class RejectionsAsked(Paged):
    """Which rows that were not accepted."""

    text: Word | None = None


class RunsAsked(Paged):
    """Which syncs."""


class VersionPlace(FeedPlace):
    """A version of a feed."""

    version: Number


def feed_page(state: State, place: FeedPlace, actor: Actor, context: Context) -> View:
    """Show a feed."""
    return _page(state, place, actor, context)


def diff_page(state: State, place: FeedPlace, query: DiffAsked) -> View:
    """Compare two versions: with no numbers, what waits with what is in force."""
    try:
        found: DiffShown | None = feed_diff(state, place, query)
        said = None
    except FeedError as error:
        found, said = None, str(error)
    return View("feed_diff.html", _values(state, place) | {"found": found, "said": said, "rows": _ROWS})


def rejections_page(state: State, place: FeedPlace, query: RejectionsAsked) -> View:
    """List the rows that were not accepted, with their lines."""
    found = feed_rejections(state, place)
    text = (query.text or "").lower()
    rows = [row for row in found.items if text in f"{row.why} {row.text}".lower()]
    start = int(query.cursor) if query.cursor and query.cursor.isascii() and query.cursor.isdigit() else 0
    shown = rows[start : start + query.limit]
    following = start + len(shown)
    return View("feed_rejections.html", _values(state, place) | {
        "asked": query, "rows": shown, "version": found.version, "kept": len(found.items), "count": len(rows),
        "is_first": start == 0, "next": str(following) if following < len(rows) else None,
    })  # fmt: skip


def runs_page(state: State, place: FeedPlace, query: RunsAsked) -> View:
    """List the syncs of a feed, the newest first."""
    found = list_runs(state, RunQuery(limit=query.limit, cursor=query.cursor, feed=place.feed))
    return View("feed_runs.html", _values(state, place) | {"asked": query, "found": found})


async def approve(request: web.Request, place: FeedPlace, actor: Actor, context: Context) -> web.Response:
    """Put the version that waits in force."""
    return await _change(
        request, place, actor, context, approve_feed, "The version that waited was approved and is taken over."
    )


async def enable(request: web.Request, place: FeedPlace, actor: Actor, context: Context) -> web.Response:
    """Switch a feed on."""
    return await _change(request, place, actor, context, enable_feed, f"The feed {place.feed} is on.")


async def disable(request: web.Request, place: FeedPlace, actor: Actor, context: Context) -> web.Response:
    """Switch a feed off."""
    return await _change(
        request, place, actor, context, disable_feed, f"The feed {place.feed} is off; its versions stay."
    )


async def roll_back(request: web.Request, place: VersionPlace, actor: Actor, context: Context) -> web.Response:
    """Go back to another version."""

    def work(state: State, feed: FeedPlace) -> FeedShown:
        return roll_back_feed(state, feed, body_of(RollbackBody, {"version": place.version}))

    said = f"Version {place.version} is in force; what was left is not taken over again."
    return await _change(request, FeedPlace(feed=place.feed), actor, context, work, said)


async def remove(request: web.Request, place: FeedPlace, actor: Actor, context: Context) -> web.Response:
    """Remove a feed with its rules and the statements on it."""
    said = f"The feed {place.feed} was removed, with the statements on it."
    response = await _change(request, place, actor, context, delete_feed, said, to="/feeds")
    if response.status == 303:  # in force without it: only then may its versions go
        await context.work.changers.do(actor.who, "web", lambda state: forget_feed(state, place))
    return response


async def _change(
    request: web.Request, place: FeedPlace, actor: Actor, context: Context,
    make: Callable[[State, FeedPlace], FeedShown], said: str, to: str | None = None,
) -> web.Response:  # fmt: skip
    form = await form_of(request, "version")

    def work(state: State) -> Done:
        make(state, place)
        return Done(to or f"/feeds/{place.feed}", said)

    def again(state: State, refused: Refused) -> View:
        return _page(state, place, actor, context, refused)

    return await change(request, work, again, Guard(form["version"], lambda state: _guarded(state, place)))


def _guarded(state: State, place: FeedPlace) -> object:
    """Return what a decision about a feed rests on: its versions and whether it is on, not when it was last reached."""
    found = feed_now(state, place)
    return None if found is None else (found.url, found.enabled, found.version, found.pending_version, found.versions)


def _values(state: State, place: FeedPlace) -> dict[str, object]:
    return {"feed": show_feed(state, place), "guard": version_of(_guarded(state, place))}


def _page(state: State, place: FeedPlace, actor: Actor, context: Context, refused: Refused | None = None) -> View:
    found = show_feed(state, place)
    job = context.syncing.last
    return View("feed.html", _values(state, place) | {
        "age": age_in_words(found.changed_at, datetime.now(UTC)), "refused": refused,
        "versions": _versions(state, found), "why": _why(state, found),
        "runs": list_runs(state, RunQuery(limit=_RUNS, feed=place.feed)).items,
        "rejections": _first_rejections(state, place), "is_syncing": job is not None and job.outcome is Outcome.RUNNING
        and place.feed in job.feeds, "job": job,
        "statements": [StatementShown.of(one) for one in in_order(state) if str(one.subject) == f"feed:{place.feed}"]
        if actor.may(Right.READ, "policy") else [],
    })  # fmt: skip


def _first_rejections(state: State, place: FeedPlace) -> list[RejectedRow]:
    try:
        return feed_rejections(state, place).items[:5]
    except FeedError:
        return []


def _why(state: State, feed: FeedShown) -> tuple[str, ...]:
    """Return why a version waits."""
    if feed.pending_version is None:
        return ()
    try:
        return state.snapshots.meta(feed.name, feed.pending_version).held
    except FeedError as error:
        return (str(error),)


def _versions(state: State, feed: FeedShown) -> list[Version]:
    found = []
    for number in reversed(feed.versions):
        try:
            meta: Meta | None = state.snapshots.meta(feed.name, number)
        except FeedError:
            meta = None
        found.append(Version(
            number, meta, number == feed.version, number == feed.pending_version,
            state.snapshots.is_refused(feed.name, number),
        ))  # fmt: skip
    return found
