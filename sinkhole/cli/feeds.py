"""`sinkhole feeds`: the remote lists, how they stand, and what to do about a version."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sinkhole.app.state import State
from sinkhole.cli.complete import complete_feed
from sinkhole.cli.feed_facts import catalogue_facts, catalogue_words, facts
from sinkhole.cli.lazy_group import LazyGroup
from sinkhole.cli.options import Place, json_option, place_options
from sinkhole.cli.output import age, local_time, print_fact, print_json, print_line, print_table, utc_time
from sinkhole.cli.session import opened, put_in_force
from sinkhole.late import late
from sinkhole.policy.feed import Feed, FeedState, FeedStatus

if TYPE_CHECKING:
    from sinkhole.app import feed_changes
else:
    feed_changes = late("sinkhole.app.feed_changes")

_SHOWN = 20


@click.group(cls=LazyGroup, later={"add": "sinkhole.cli.feeds_add"})
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
        feed = feed_changes.remove_feed(state, name)
        put_in_force(state, f"removed feed {name}")
        feed_changes.forget_versions(state, name)
        _tell_catalogue(state, feed)


def _switch(verb: str, enabled: bool, meaning: str) -> None:
    @feeds.command(verb, short_help=meaning, help=f"{meaning}\n\n\b\nExample: sinkhole feeds {verb} v2fly")
    @place_options
    @json_option
    @click.argument("name", shell_complete=complete_feed)
    def command(place: Place, name: str) -> None:
        with opened(place) as state:
            feed, known = feed_changes.switch_feed(state, name, enabled=enabled)
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
        old, new, found = feed_changes.diff_of_feed(state, name, old, new, limit)
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
        _tell_version(state, name, feed_changes.roll_feed_back(state, name, version))


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
        _tell_version(state, name, feed_changes.approve_version(state, name))


def _tell_version(state: State, name: str, after: FeedState) -> None:
    put_in_force(state, f"feed {name} is at version {after.version}", name)
    _tell_catalogue(state, state.feeds.get(name)[0])


def _tell_catalogue(state: State, feed: Feed) -> None:
    """Say which catalogue is in force now, after a change to a feed that brings one."""
    if feed.key is not None:
        print_line(f"the catalogue in force is {catalogue_words(state.catalogue())}")


def _as_dict(feed: Feed, known: FeedState) -> dict[str, Any]:
    return asdict(feed) | asdict(known) | {"status": known.status.value}
