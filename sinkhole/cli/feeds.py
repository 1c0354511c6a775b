"""`sinkhole feeds`: the remote lists, how they stand, and what to do about a version."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import click
from yarl import URL

from sinkhole.app.state import State, put_feed
from sinkhole.catalogue.signature import PublicKey
from sinkhole.cli.complete import complete_feed
from sinkhole.cli.feed_facts import catalogue_facts, catalogue_words, facts
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import age, local_time, print_fact, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened, put_in_force
from sinkhole.errors import FeedError
from sinkhole.feeds.parse import READERS
from sinkhole.feeds.revise import approve as approve_version
from sinkhole.feeds.revise import roll_back
from sinkhole.feeds.visit import read_url
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from sinkhole.policy.subject import Subject, SubjectKind

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
_SHOWN = 20


@click.group()
def feeds() -> None:
    """Manage remote lists. A list that fails, shrinks or grows suspiciously never replaces the last good one."""


@feeds.command("list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_feeds(place: Place, as_json: bool) -> None:
    """List feeds with their rules and the age of their content.

    \b
    Example: sinkhole feeds list
    """
    now = dt.datetime.now(dt.UTC)
    with opened(place) as state:
        found = state.feeds.all()
    if as_json:
        print_json([_as_dict(feed, known) for feed, known in found])
        return
    rows = [
        (feed.name, "on" if feed.enabled else "off", known.status.value, known.version or None, known.rules,
         known.rejected, age(known.changed_at, now), age(known.fetched_at, now), "yes" if feed.part_of_ai else "no")
        for feed, known in found
    ]  # fmt: skip
    header = ("feed", "is", "status", "version", "rules", "rejected", "content age", "reached", "in ai")
    print_table(header, rows, empty="no feeds")
    for feed, known in found:
        if known.status is FeedStatus.QUARANTINED:
            print_line(f"{feed.name}: {known.message}")


@feeds.command(short_help="Add the list at URL, or configure it anew.")
@place_options
@json_option
@click.argument("url")
@click.option("--name", help="Name; made from the URL unless given.")
@click.option(
    "--format",
    "list_format",
    type=click.Choice(["auto", *READERS]),
    default="auto",
    show_default=True,
    metavar="FORMAT",
    help=f"auto, or one of {', '.join(READERS)}.",
)
@click.option(
    "--match",
    type=click.Choice(["format", "exact", "suffix"]),
    default="format",
    show_default=True,
    help="exact: rows match the name alone; suffix: and all names below it; format: as its format says.",
)
@click.option("--allow-private", is_flag=True, help="Its host may be inside the network.")
@click.option("--ai", "part_of_ai", is_flag=True, help="Its rows belong to the subject ai instead of a statement.")
@click.option("--interval", type=click.IntRange(300), metavar="SECONDS", help="Between syncs, 300 or more.")
@click.option("--key", metavar="RW…", help="It is the catalogue, and signed with this minisign key.")
def add(
    place: Place, url: str, name: str | None, list_format: str, match: str, allow_private: bool, part_of_ai: bool,
    interval: int | None, key: str | None,
) -> None:  # fmt: skip
    """Add the list at URL (https://…, or file:NAME below the lists folder), or configure it anew; then run sync.

    \b
    Example: sinkhole feeds add https://lists.example/ai.txt --match suffix
    """
    _check_url(url)
    name = name or _name_from(url)
    if not _NAME.match(name):
        raise FeedError(f"feed name {name!r}: wanted lower-case letters, digits and -; give one with --name")
    feed = Feed(
        name, url, list_format, match, part_of_ai, allow_private=allow_private, local=url.startswith("file:"),
        interval=interval, key=None if key is None else _read_key(key, list_format, match, part_of_ai),
    )  # fmt: skip
    with opened(place) as state:
        is_known = any(known.name == name for known, _ in state.feeds.all())
        put_feed(state, feed)
        put_in_force(state, f"{'changed' if is_known else 'added'} feed {name}")
    print_line(f"fetch it now with: sinkhole sync {name}")


def _read_key(key: str, list_format: str, match: str, part_of_ai: bool) -> str:
    """Return the key as it is stored; refuse it for what is no catalogue as a whole."""
    if list_format != "catalogue":
        raise FeedError("--key is for catalogues: give --format catalogue with it")
    if match != "format" or part_of_ai:
        raise FeedError("--match and --ai are for lists: a catalogue says itself how names match and what is AI")
    return PublicKey.from_text(key).to_text()


def _check_url(url: str) -> None:
    """Refuse what can never be fetched; whether it may be fetched is seen when it is."""
    parsed = read_url(url)
    if parsed.scheme not in ("https", "http", "file") or (parsed.scheme != "file" and not parsed.host):
        raise FeedError(f"feed URL {url!r}: wanted https://…, or file:NAME of a file in the lists folder")


def _name_from(url: str) -> str:
    parts = [part for part in URL(url).path.split("/") if part]
    stem = (parts[-1] if parts else URL(url).host or "feed").rsplit(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63] or "feed"


@feeds.command(short_help="Remove feed NAME and all that hangs on it.")
@place_options
@json_option
@click.argument("name", shell_complete=complete_feed)
def remove(place: Place, name: str) -> None:
    """Remove feed NAME, its rules, its versions and the statement on it.

    \b
    Example: sinkhole feeds remove v2fly
    """
    with opened(place) as state:
        feed = state.feeds.remove(name)
        for said in state.policy.statements():
            if said.subject == Subject(SubjectKind.FEED, name):
                state.policy.remove(said.subject, said.group, said.schedule or "always")
        put_in_force(state, f"removed feed {name}")
        state.snapshots.remove(name)
        _tell_catalogue(state, feed)


def _switch(verb: str, enabled: bool, meaning: str) -> None:
    @feeds.command(verb, short_help=meaning, help=f"{meaning}\n\n\b\nExample: sinkhole feeds {verb} v2fly")
    @place_options
    @json_option
    @click.argument("name", shell_complete=complete_feed)
    def command(place: Place, name: str) -> None:
        with opened(place) as state:
            feed, known = state.feeds.get(name)
            put_feed(state, replace(feed, enabled=enabled))
            put_in_force(state, f"{verb}d feed {name}")
            _tell_catalogue(state, feed)
        if enabled and not known.version:
            print_line(f"it has no rules yet; fetch it now with: sinkhole sync {name}")


_switch("enable", True, "Sync feed NAME and put its rules in force.")
_switch("disable", False, "Take the rules of feed NAME out of force; its versions stay.")


@feeds.command()
@place_options
@click.argument("name", shell_complete=complete_feed)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(place: Place, name: str, as_json: bool) -> None:
    """Show how feed NAME stands: versions, last syncs, rejected rows.

    \b
    Example: sinkhole feeds show v2fly
    """
    with opened(place) as state:
        feed, known = state.feeds.get(name)
        runs = state.feeds.runs(name, 10)
        version = known.pending_version or known.version
        rejections = state.snapshots.rejections(name, version) if version else []
        versions = state.snapshots.versions(name)
        publication = state.snapshots.meta(name, known.version).publication if feed.key and known.version else None
        in_force = state.catalogue() if feed.key else None
    if as_json:
        rows = [{"line": r.line, "column": r.column, "why": r.why, "text": r.text} for r in rejections]
        syncs = [run | {"at": utc_time(run["at"])} for run in runs]
        told = {"publication": publication, "is_catalogue": in_force is not None and in_force.feed == name}
        print_json(_as_dict(feed, known) | told | {"versions": versions, "runs": syncs, "rejections": rows})
        return
    signed = catalogue_facts(feed, publication, in_force) if in_force else []
    for label, value in (*facts(feed, known, versions), *signed):
        print_line(f"{label:<14} {value}")
    print_line()
    done = [(local_time(run["at"]), run["status"], run["rules"], run["took_ms"], run["message"]) for run in runs]
    print_table(("sync", "status", "rules", "ms", "why"), done, empty="not synced yet")
    if rejections:
        print_line()
        some = f" (the first {_SHOWN})" if len(rejections) > _SHOWN else ""
        print_line(f"rows not accepted in version {version}{some}:")
        for rejection in rejections[:_SHOWN]:
            print_line(f"  {rejection}: {rejection.text}")


@feeds.command(short_help="Show what a version adds and removes.")
@place_options
@json_option
@click.argument("name", shell_complete=complete_feed)
@click.argument("old", type=int, required=False)
@click.argument("new", type=int, required=False)
@click.option(
    "--limit", type=click.IntRange(0), metavar="N", default=50, show_default=True, help="Rows shown of each kind."
)
def diff(place: Place, name: str, old: int | None, new: int | None, limit: int) -> None:
    """Show what version NEW (the one that waits, else the one in force) adds and removes against OLD.

    \b
    Example: sinkhole feeds diff v2fly
    """
    with opened(place) as state:
        _, known = state.feeds.get(name)
        new = new or known.pending_version or known.version
        older = [version for version in state.snapshots.versions(name) if version < new]
        old = old or (known.version if known.pending_version == new and known.version else max(older, default=0))
        if not old:
            raise FeedError(f"feed {name} has {'only one version' if new else 'no version yet'}: nothing to compare")
        found = state.snapshots.diff(name, old, new, limit)
    print_line(f"feed {name}, version {old} to {new}: {found.added} added, {found.removed} removed")
    print_fact("added", found.added)
    print_fact("removed", found.removed)
    for sign, rows, all_of in (("+", found.added_rows, found.added), ("-", found.removed_rows, found.removed)):
        for row in rows:
            print_line(f"{sign} {row}")
        if all_of > len(rows):
            print_line(f"{sign} … {all_of - len(rows)} more")


@feeds.command(short_help="Go back to an older version of feed NAME.")
@place_options
@json_option
@click.argument("name", shell_complete=complete_feed)
@click.argument("version", type=int, required=False)
def rollback(place: Place, name: str, version: int | None) -> None:
    """Put VERSION of feed NAME (the one before, unless given) in force; what was left is not taken over again.

    \b
    Example: sinkhole feeds rollback v2fly 3
    """
    with opened(place) as state:
        _revise(state, name, "rolled back", lambda known, now: roll_back(state.snapshots, name, known, now, version))


@feeds.command()
@place_options
@json_option
@click.argument("name", shell_complete=complete_feed)
def approve(place: Place, name: str) -> None:
    """Put the version of feed NAME that waits for approval in force.

    \b
    Example: sinkhole feeds approve v2fly
    """
    with opened(place) as state:
        _revise(state, name, "approved", lambda known, now: approve_version(state.snapshots, name, known, now))


def _revise(state: State, name: str, what: str, change: Callable[[FeedState, dt.datetime], FeedState]) -> None:
    feed, known = state.feeds.get(name)
    after = change(known, dt.datetime.now(dt.UTC))
    state.feeds.put_state(name, after, what)
    put_in_force(state, f"feed {name} is at version {after.version}", name)
    _tell_catalogue(state, feed)


def _tell_catalogue(state: State, feed: Feed) -> None:
    """Say which catalogue is in force now, after a change to a feed that brings one."""
    if feed.key is not None:
        print_line(f"the catalogue in force is {catalogue_words(state.catalogue())}")


def _as_dict(feed: Feed, known: FeedState) -> dict[str, Any]:
    return asdict(feed) | asdict(known) | {"status": known.status.value}
