"""Feeds: how all of them stand, a sync as it goes, and the form that adds one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from aiohttp import web

from sinkhole.app.state import State
from sinkhole.app.sync_now import expect_feeds, wanted_feeds
from sinkhole.feeds.parse import READERS
from sinkhole.web.actor import Actor
from sinkhole.web.api.feeds import FeedBody, FeedShown, feed_before, put_feed
from sinkhole.web.context import PEER, Context
from sinkhole.web.flashes import Flash
from sinkhole.web.model import Paged, Word, page_of
from sinkhole.web.pages.change import Done, Refused, body_of, change
from sinkhole.web.pages.route import View
from sinkhole.web.pages.serve import form_of
from sinkhole.web.problem import RequestError
from sinkhole.web.syncing import SyncJob

Which = Literal["waiting", "failing", "off"]
_FIELDS = ("url", "name", "format", "match", "interval", "key", "part_of_ai", "allow_private")
_HOUR = 3600
_INTERVALS = (("3600", "Every hour"), ("21600", "Every 6 hours"), ("86400", "Every day"), ("604800", "Every week"))
_MATCHES = (("format", "As its format says"), ("exact", "The name alone"), ("suffix", "The name and all below"))


class FeedsAsked(Paged):
    """Which feeds."""

    which: Which | None = None
    text: Word | None = None


def feeds_page(state: State, context: Context, query: FeedsAsked) -> View:
    """List feeds: how old their content is, what waits for approval, how the last sync went."""
    every = [FeedShown.of(state, *pair) for pair in state.feeds.all()]
    found = [one for one in every if _is_asked(one, query)]
    now = datetime.now(UTC)
    return View("feeds.html", {
        "asked": query, "found": page_of(found, query, lambda one: one.name), "all": len(every), "count": len(found),
        "ages": {one.name: age_in_words(one.changed_at, now) for one in found}, "job": context.syncing.last,
        "done": _done(context.syncing.last),
        "waiting": sum(_is_asked(one, FeedsAsked(which="waiting")) for one in every),
        "failing": sum(_is_asked(one, FeedsAsked(which="failing")) for one in every),
    })  # fmt: skip


def _is_asked(one: FeedShown, query: FeedsAsked) -> bool:
    if query.text is not None and query.text.lower() not in f"{one.name} {one.url}".lower():
        return False
    match query.which:
        case "waiting":
            return one.pending_version is not None
        case "failing":
            return one.enabled and one.status in ("kept", "failed")
        case "off":
            return not one.enabled
    return True


def _done(job: SyncJob | None) -> int:
    return 0 if job is None else len({one.feed for one in job.results})


def age_in_words(changed: datetime | None, now: datetime) -> str | None:
    """Return how long ago that was: hours up to two days, then days; None where it never was."""
    if changed is None:
        return None
    hours = max(0, int((now - changed).total_seconds())) // _HOUR
    number, word = (hours, "hour") if hours < 48 else (hours // 24, "day")
    return "less than an hour" if hours < 1 else f"{number} {word}" + ("" if number == 1 else "s")


async def start_sync(request: web.Request, context: Context, actor: Actor) -> web.Response:
    """Sync one feed, or all that are on; the page of feeds tells how it goes."""
    form = await form_of(request, "feed", "force")
    names: tuple[str, ...] = (form["feed"],) if form["feed"] else ()

    def look(state: State) -> Sequence[str]:
        expect_feeds(state, names)
        return wanted_feeds(state, names)

    feeds = await context.work.readers.do(look)
    try:
        context.syncing.start(actor.who, f"web from {request[PEER].address}", feeds, names, force=bool(form["force"]))
    except RequestError as error:
        context.flashes.put(actor, Flash(str(error), "warn"))
    return web.Response(status=303, headers={"Location": f"/feeds/{names[0]}" if names else "/feeds"})


def new_page() -> View:
    """Show the form for a new list."""
    return _form({}, None)


async def add(request: web.Request) -> web.Response:
    """Add a list; what there is of the same name is not touched."""
    form = await form_of(request, *_FIELDS)

    def work(state: State) -> Done:
        values = {name: form[name].strip() for name in ("url", "name", "format", "match", "interval", "key")}
        ticks = {name: bool(form[name]) for name in ("part_of_ai", "allow_private")}
        body = body_of(FeedBody, values | ticks)
        if (before := feed_before(state, body)) is not None:
            raise RequestError(422, f"name: there is a feed {before.name} already, of {before.url}; give another name")
        made = put_feed(state, body)
        return Done(f"/feeds/{made.name}", f"The feed {made.name} was added; it has no rules before it is synced.")

    return await change(request, work, lambda _, refused: _form(form, refused))


def _form(form: dict[str, str], refused: Refused | None) -> View:
    shown = dict.fromkeys(_FIELDS, "") | {"format": "auto", "match": "format"} | form
    values = {"form": shown, "refused": refused, "formats": ("auto", *READERS), "intervals": _INTERVALS}
    return View("feed_form.html", values | {"matches": _MATCHES})
