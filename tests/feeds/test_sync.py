"""Syncing against a server that behaves well or badly: the last good rules stay in force, and the report says why."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from sinkhole.config.schema import FeedSettings
from sinkhole.errors import StoreError
from sinkhole.feeds.fetch import Fetcher
from sinkhole.feeds.guard import Guard, feed_hosts
from sinkhole.feeds.in_force import rules_in_force
from sinkhole.feeds.snapshot import Snapshots
from sinkhole.feeds.sync import Syncer, SyncResult
from sinkhole.policy.feed import Feed, FeedState, FeedStatus
from tests.feeds.list_server import HOST, ListServer, cut_off, drip, endless, hang
from tests.feeds.rig import Rig, names, rows

GOOD = names(20)


@pytest.fixture
async def server() -> AsyncIterator[ListServer]:
    async with ListServer() as started:
        yield started


@pytest.fixture
def rig(server: ListServer, tmp_path: Path) -> Rig:
    return Rig(server, tmp_path)


async def test_first_sync_takes_the_list_over(rig: Rig) -> None:
    rig.server.serve(rows(GOOD), ETag='"1"')
    result = await rig.sync()
    assert result.is_changed
    assert result.report is not None
    assert result.report.diff.added == 20
    state = result.state
    assert (state.status, state.version, state.rules, state.message) == (FeedStatus.UPDATED, 1, 20, None)
    assert state.etag == '"1"'
    assert state.fetched_at == state.changed_at == rig.now
    assert state.next_due is not None
    assert timedelta(hours=5) < state.next_due - rig.now < timedelta(hours=7)
    assert rig.blocked() == GOOD


async def test_list_is_read_in_a_process_of_its_own(server: ListServer, tmp_path: Path) -> None:
    """R-L14: unless a test says otherwise."""
    limits = FeedSettings()
    fetcher = Fetcher(limits, server.resolve, tmp_path)
    snapshots = Snapshots(tmp_path / "feeds")
    server.serve(rows([*GOOD, "cdn.example.net"]))
    syncer = Syncer(snapshots, fetcher, limits, Guard(["cdn.example.net"]))
    result = await syncer.sync(Feed("list", server.url(), allow_private=True), FeedState())
    assert (result.state.status, result.state.rules) == (FeedStatus.UPDATED, 20)
    assert result.report is not None
    assert (result.report.format, result.report.protected) == ("domains", 1)
    assert result.state.fetched_at is not None
    assert result.state.fetched_at.tzinfo is UTC


async def test_new_content_replaces_the_old(rig: Rig) -> None:
    await rig.sync_list(GOOD)
    result = await rig.sync_list(names(20, 5))
    assert result.state.version == 2
    assert result.report is not None
    assert (result.report.diff.added, result.report.diff.removed) == (5, 5)
    assert rig.blocked() == names(20, 5)


async def test_content_age_is_not_the_time_of_the_fetch(rig: Rig) -> None:
    await rig.sync_list(GOOD)
    changed = rig.now
    result = await rig.sync()
    assert result.state.status is FeedStatus.UNCHANGED
    assert not result.is_changed
    assert (result.state.changed_at, result.state.fetched_at) == (changed, rig.now)
    assert rig.snapshots.versions("list") == [1]


Misbehave = Callable[[ListServer], None]

FAILURES: dict[str, tuple[Misbehave, str]] = {
    "404": (lambda s: s.serve("gone", status=404), "HTTP status 404 (Not Found)"),
    "500": (lambda s: s.serve("broken", status=500), "HTTP status 500 (Internal Server Error)"),
    "hangs": (lambda s: s.answer(hang), "no complete answer within 1 s"),
    "slow": (lambda s: s.answer(drip), "no complete answer within 1 s"),
    "cut off": (lambda s: s.answer(cut_off), "the body was cut off"),
    "endless": (lambda s: s.answer(endless), "the body has more than 1000000 octets"),
    "gzip bomb": (
        lambda s: s.serve(gzip.compress(b"\n" * 20_000_000), Content_Encoding="gzip"),
        "more than 1000000 octets once it is decompressed",
    ),
    "HTML login page": (
        lambda s: s.serve("<!doctype html><title>Log in</title>", Content_Type="text/html"),
        "sent text/html, which is no list",
    ),
    "HTML said to be text": (lambda s: s.serve("\n <HTML><p>Log in</p>"), "the list is a web page"),
    "JSON error": (lambda s: s.serve('{"message": "rate limited"}'), "the list is a JSON document"),
    "binary": (lambda s: s.serve(gzip.compress(rows(GOOD))), "the list is a compressed file"),
    "UTF-16": (lambda s: s.serve("a.example.org\n".encode("utf-16")), "the list is UTF-16"),
    "empty": (lambda s: s.serve(b""), "the list has no usable row: it is empty"),
    "comments only": (lambda s: s.serve("# moved\n# elsewhere\n"), "the list has no usable row"),
    "redirect to a private address": (
        lambda s: s.redirect("http://192.168.0.1/admin"),
        "192.168.0.1 has the private address 192.168.0.1",
    ),
    "redirect to metadata": (lambda s: s.redirect("http://169.254.169.254/"), "where no list can be"),
    "redirect loop": (lambda s: s.redirect("/list"), "more than 3 redirects"),
    "304 out of the blue": (lambda s: s.serve(b"", status=304), "HTTP status 304"),
    "name gone": (lambda s: s.addresses.clear(), f"{HOST} has no address"),
    "too many rows": (lambda s: s.serve(rows(names(300))), "more than 200 rows"),
}


@pytest.mark.parametrize("behaviour", FAILURES)
async def test_failed_sync_keeps_the_last_good_rules(rig: Rig, behaviour: str) -> None:
    """R-F01, R-F03, R-F04: in memory and on disk, and the report says why."""
    misbehave, why = FAILURES[behaviour]
    await rig.sync_list(GOOD)
    before = rig.state
    rig.syncer = rig.make_syncer(total_timeout=1, max_bytes=1_000_000, max_rules=200)
    misbehave(rig.server)
    result = await rig.sync()
    assert result.state.status is FeedStatus.KEPT
    assert why in (result.state.message or "")
    assert not result.is_changed
    assert rig.blocked() == GOOD
    assert rig.snapshots.versions("list") == [1]
    assert result.state == replace(
        before, status=FeedStatus.KEPT, failures=1, next_due=result.state.next_due, message=result.state.message
    )
    assert result.state.next_due is not None
    assert timedelta(seconds=54) <= result.state.next_due - rig.now <= timedelta(seconds=66)


@pytest.mark.parametrize(
    ("count", "why"),
    [(10, "it shrank from 20 to 10 rules"), (1, "it shrank from 20 to 1 rules"), (200, "it grew from 20 to 200 rules")],
)
async def test_large_change_is_held_for_approval(rig: Rig, count: int, why: str) -> None:
    """R-F06: shrunk by half, grown tenfold."""
    await rig.sync_list(GOOD)
    result = await rig.sync_list(names(count, 1000))
    assert result.state.status is FeedStatus.QUARANTINED
    assert result.state.message == f"version 2 waits for approval: {why}"
    assert (result.state.version, result.state.pending_version) == (1, 2)
    assert not result.is_changed
    assert result.report is not None
    assert result.report.diff.added == count
    assert rig.blocked() == GOOD


async def test_mostly_rejected_list_is_held(rig: Rig) -> None:
    """R-F06: likely of another format, even at the first fetch."""
    rig.server.serve("a.example.org\nnot a name\nnor this\n")
    result = await rig.sync()
    assert result.state.status is FeedStatus.QUARANTINED
    assert "2 of 3 rows were rejected" in (result.state.message or "")
    assert rig.blocked() == []


async def test_held_content_is_kept_once(rig: Rig) -> None:
    await rig.sync_list(GOOD)
    await rig.sync_list(names(3))
    again = await rig.sync()
    assert again.state.status is FeedStatus.QUARANTINED
    assert (again.state.pending_version, again.state.fetched_at) == (2, rig.now)
    assert rig.snapshots.versions("list") == [1, 2]


async def test_held_content_that_is_withdrawn_waits_no_longer(rig: Rig) -> None:
    await rig.sync_list(GOOD)
    await rig.sync_list(names(3))
    result = await rig.sync_list(GOOD)
    assert result.state.status is FeedStatus.UNCHANGED
    assert result.state.pending_version is None
    await rig.sync_list(names(3))
    result = await rig.sync_list(names(21))
    assert (result.state.status, result.state.pending_version) == (FeedStatus.UPDATED, None)


async def test_wide_row_is_left_out_and_told(rig: Rig) -> None:
    """R-L12: a line `com`; the rules stay in force, without it."""
    await rig.sync_list(GOOD)
    result = await rig.sync_list([*GOOD, "com"])
    assert rig.blocked() == GOOD
    assert "1 row rejected, such as line 21, column 1: too wide: 'com'" in (result.state.message or "")
    assert rig.snapshots.rejections("list", 2)[0].text == "com"


async def test_row_of_a_feed_host_is_left_out_and_told(rig: Rig) -> None:
    """R-F07: a list with its own host, that of a mirror, of another feed, or a name never blocked."""
    rig.server.addresses["mirror.example.com"] = ["127.0.0.1"]
    other = Feed("other", "https://other.example.com/list")
    rig.syncer = rig.make_syncer(Guard(["cdn.example.net"], feed_hosts([rig.feed, other])))
    bad = [HOST, "example.org", "other.example.com", "example.net"]
    result = await rig.sync_list([*GOOD, *bad])
    assert rig.blocked() == GOOD
    assert result.report is not None
    assert (result.report.protected, result.report.rejected) == (4, 4)
    assert [row.line for row in result.report.samples] == [21, 22, 23, 24]
    assert "4 of them for a protected name, such as line 21" in (result.state.message or "")


async def test_own_host_is_protected_without_being_told(rig: Rig) -> None:
    """R-F07: and so is where it redirects to."""
    rig.server.redirect("/moved")
    rig.server.serve(rows([*GOOD, HOST]), "moved")
    result = await rig.sync()
    assert result.report is not None
    assert result.report.protected == 1


async def test_bad_rows_cost_themselves_alone(rig: Rig) -> None:
    """R-L09, R-L13: invalid UTF-8, BOM, 100 kB line: told with line and column, the other rows count."""
    await rig.sync_list(GOOD)
    body = b"\xef\xbb\xbf" + rows(GOOD) + b"bad\xff.example.org\n" + b"x" * 100_000 + b"\nnew.example.org\n"
    rig.server.serve(body)
    result = await rig.sync()
    assert rig.blocked() == [*GOOD, "new.example.org"]
    assert result.report is not None
    assert [(row.line, row.column) for row in result.report.samples] == [(21, 4), (22, 1)]
    assert "not UTF-8" in result.report.samples[0].why
    assert "65536 octets" in result.report.samples[1].why
    assert "2 rows rejected, such as line 21, column 4: not UTF-8" in (result.state.message or "")


async def test_remote_list_can_only_block(rig: Rig) -> None:
    """R-F08: rewrites, forwards and client rules of a remote list choose no answer."""
    rig.configure(format="adblock")
    rig.server.serve("||a.example.org^\n||b.example.org^\n||c.example.org^$dnsrewrite=192.0.2.66\n")
    await rig.sync()
    found = rules_in_force(rig.snapshots, rig.feed, rig.state)
    assert found is not None
    assert all(rule.rewrite is None for rule in found.rules)


async def test_conditional_request_after_a_restart(rig: Rig) -> None:
    """R-F09: the validators are state; a 304 leaves the rules on disk in force."""
    rig.server.serve_conditionally(rows(GOOD), '"1"')
    await rig.sync()
    rig.syncer = rig.make_syncer()
    result = await rig.sync()
    assert result.state.status is FeedStatus.UNCHANGED
    assert rig.server.seen[1].headers["If-None-Match"] == '"1"'
    assert rig.blocked() == GOOD


@pytest.mark.parametrize("damage", ["changed", "gone"])
async def test_broken_snapshot_is_fetched_in_full(rig: Rig, damage: str) -> None:
    """R-F09, R-F10: a 304 would leave us without a body."""
    rig.server.serve_conditionally(rows(GOOD), '"1"')
    await rig.sync()
    rules = rig.snapshots.path("list", 1) / "rules"
    rules.write_text("1\tsb\t\twrong.example.org\n") if damage == "changed" else rules.unlink()
    assert rig.blocked() == []
    result = await rig.sync()
    assert "If-None-Match" not in rig.server.seen[1].headers
    assert (result.state.status, result.state.version) == (FeedStatus.UPDATED, 2)
    assert rig.blocked() == GOOD


async def test_changed_validators_of_the_same_content_are_remembered(rig: Rig) -> None:
    """R-F09."""
    rig.server.serve(rows(GOOD), ETag='"1"')
    await rig.sync()
    rig.server.serve(rows(GOOD), ETag='"2"')
    result = await rig.sync()
    assert (result.state.status, result.state.etag) == (FeedStatus.UNCHANGED, '"2"')


async def test_forced_sync_asks_without_a_condition(rig: Rig) -> None:
    rig.server.serve_conditionally(rows(GOOD), '"1"')
    await rig.sync()
    result = await rig.sync(force=True)
    assert "If-None-Match" not in rig.server.seen[1].headers
    assert result.state.status is FeedStatus.UNCHANGED


@pytest.mark.parametrize("changes", [{"match": "exact"}, {"format": "adblock"}, {"url": "elsewhere"}])
async def test_feed_that_is_configured_otherwise_is_read_anew(rig: Rig, changes: dict[str, str]) -> None:
    """The validators of another URL say nothing, and counts of another reading compare with nothing."""
    rig.server.serve_conditionally(rows(GOOD), '"1"')
    rig.server.serve_conditionally(rows(GOOD[:2]), '"1"', "elsewhere")
    await rig.sync()
    if "url" in changes:
        changes = {"url": rig.server.url("elsewhere")}
    rig.configure(**changes)
    result = await rig.sync()
    assert (result.state.status, result.state.version) == (FeedStatus.UPDATED, 2)


async def test_rules_are_there_without_a_network(rig: Rig, tmp_path: Path) -> None:
    """R-F10: after a restart, from disk, before anything was fetched."""
    await rig.sync_list(GOOD)
    rig.server.addresses.clear()
    again = Rig(rig.server, tmp_path)
    again.state = rig.state
    assert again.blocked() == GOOD


async def test_take_over_is_atomic(rig: Rig) -> None:
    """R-F02: whoever reads during a sync finds the old rules or the new ones, always whole."""
    await rig.sync_list(names(3000))
    old, new = names(3000), names(3000, 100)
    rig.server.serve(rows(new))
    task = asyncio.create_task(rig.sync())
    reads = 0
    while not task.done():
        assert await asyncio.to_thread(rig.blocked) in (old, new)
        reads += 1
    await task
    assert reads
    assert rig.blocked() == new


async def test_hanging_feed_delays_no_other(rig: Rig) -> None:
    """R-F12."""
    rig.server.serve(rows(GOOD))
    rig.server.answer(hang, "hanging")
    hanging = replace(rig.feed, name="hanging", url=rig.server.url("hanging"))
    done = asyncio.Event()
    finished: list[str] = []

    def note(result: SyncResult) -> None:
        finished.append(result.feed)
        done.set()

    syncer = rig.make_syncer(total_timeout=60)
    task = asyncio.create_task(syncer.sync_all([(hanging, FeedState()), (rig.feed, FeedState())], note))
    await done.wait()
    assert finished == ["list"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [path.name for path in (rig.folder / "feeds" / "hanging").iterdir()] == ["lock"]


async def test_results_come_in_the_order_of_the_feeds(rig: Rig) -> None:
    feeds = []
    for n in range(3):
        rig.server.serve(rows(names(5, n)), f"list{n}")
        feeds.append((replace(rig.feed, name=f"list{n}", url=rig.server.url(f"list{n}")), FeedState()))
    results = await rig.syncer.sync_all(feeds)
    assert [result.feed for result in results] == ["list0", "list1", "list2"]
    assert all(result.is_changed for result in results)


async def test_result_that_cannot_be_taken_is_one_error(rig: Rig) -> None:
    def full(_: SyncResult) -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        await rig.syncer.sync_all([(rig.feed, FeedState())], full)


async def test_feed_blocked_by_another_list_is_fetched_all_the_same(rig: Rig) -> None:
    """R-F11: names are looked up as the caller says, never through ourselves, so no list can lock another out."""
    rig.server.addresses["second.example.com"] = ["127.0.0.1"]
    rig.server.serve(rows([*GOOD, "second.example.com"]))
    await rig.sync()
    assert "second.example.com" in rig.blocked()
    rig.server.serve(rows(GOOD), "second")
    second = replace(rig.feed, name="second", url=rig.server.url("second", "second.example.com"))
    result = await rig.syncer.sync(second, FeedState())
    assert result.state.status is FeedStatus.UPDATED


async def test_repeated_failures_back_off_and_success_forgets_them(rig: Rig) -> None:
    """R-F12."""
    rig.server.serve("", status=500)
    waits = []
    for _ in range(5):
        state = (await rig.sync()).state
        assert state.next_due is not None
        waits.append((state.next_due - rig.now).total_seconds())
    assert state.status is FeedStatus.FAILED
    assert [round(wait, -1) // 60 for wait in waits] == pytest.approx([1, 5, 15, 60, 60], rel=0.15)
    result = await rig.sync_list(GOOD)
    assert (result.state.failures, result.state.status) == (0, FeedStatus.UPDATED)


async def test_second_sync_of_the_same_feed_steps_back(rig: Rig) -> None:
    """R-F12: one at a time per feed, even of two processes."""
    await rig.sync_list(GOOD)
    before = rig.state
    with rig.snapshots.draft("list"):
        result = await rig.sync()
    assert result.state == replace(before, message="another sync of feed list is under way")
    assert result.is_busy


async def test_error_of_our_own_is_the_feeds_alone(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """R-F01."""
    await rig.sync_list(GOOD)

    async def fail(host: str) -> list[str]:
        raise KeyError("a bug")

    rig.server.resolve = fail  # type: ignore[method-assign]
    rig.syncer = rig.make_syncer()
    with caplog.at_level(logging.ERROR, "sinkhole.feeds"):
        result = await rig.sync()
    assert result.state.message == "an error of this program, which its log tells"
    assert result.state.status is FeedStatus.KEPT
    assert "feed.crashed" in caplog.text
    assert rig.blocked() == GOOD


async def test_name_that_is_none_fails_alone(rig: Rig) -> None:
    """R-F14."""
    result = await rig.syncer.sync(replace(rig.feed, name="../x"), FeedState())
    assert result.state.status is FeedStatus.FAILED


async def test_what_a_server_says_is_fit_to_be_shown(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """R-F14: markup stays text, escape sequences reach neither terminal nor log."""
    rig.server.serve("! Title: <script>alert(1)</script>\n" + "\x1b[31mred\x07.example.org\n" + rows(GOOD).decode())
    with caplog.at_level(logging.INFO, "sinkhole.feeds"):
        result = await rig.sync()
    assert result.report is not None
    assert all(row.text.isprintable() and row.why.isprintable() for row in result.report.samples)
    assert (result.state.message or "").isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)


async def test_old_versions_are_pruned(rig: Rig) -> None:
    """keep_versions has effect; the version in force stays."""
    rig.syncer = rig.make_syncer(keep_versions=2)
    for n in range(4):
        await rig.sync_list(names(20, n))
    assert rig.snapshots.versions("list") == [3, 4]
    for n in range(3):
        await rig.sync_list(names(2, n))
    assert rig.snapshots.versions("list") == [4, 6, 7]
    assert rig.blocked() == names(20, 3)


async def test_local_list_is_synced_from_the_folder(rig: Rig) -> None:
    """R-F05, R-F08: and may do what a remote one may not."""
    (rig.folder / "lists" / "own.txt").write_text("||a.example.org^$dnsrewrite=192.0.2.1\n||b.example.org^\n")
    rig.configure(url="file:own.txt", format="adblock", local=True)
    result = await rig.sync()
    assert (result.state.status, result.state.rules) == (FeedStatus.UPDATED, 2)
    assert (await rig.sync()).state.status is FeedStatus.UNCHANGED


def test_hosts_of_feeds_are_names_only() -> None:
    urls = [
        "https://Lists.example.org/x",
        "http://192.0.2.1/x",
        "https://[2001:db8::1]/x",
        "file:own",
        "http://[::",
        "",
    ]
    feeds = [Feed(f"f{n}", url) for n, url in enumerate(urls)]
    assert {host for host in feed_hosts(feeds) if ":" not in host} == {"lists.example.org"}
