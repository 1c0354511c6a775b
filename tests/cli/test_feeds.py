"""`sinkhole feeds` and `sinkhole sync`, against a real list server on loopback."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest

from sinkhole.app.compiled import compiled_folder, versions_in_force
from sinkhole.app.state import open_state
from sinkhole.app.sync_now import sync_now
from sinkhole.config.load import load_settings
from tests.cli.lists import ListThread
from tests.feeds.rig import names, rows


@pytest.fixture
def lists() -> Iterator[ListThread]:
    with ListThread() as thread:
        yield thread


@pytest.fixture
def ours(run, lists):
    """A feed `ours` with ten names, synced."""
    lists.server.serve(rows(names(10)))
    run.good("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    assert run.good("sync", "ours").lines[1].split()[:3] == ["ours", "updated", "10"]
    return lists


def table(run, name: str) -> dict[str, str]:
    """Return how a feed stands, as `feeds show` tells it."""
    lines = run.good("feeds", "show", name).lines
    return {line[:14].strip(): line[15:] for line in lines[: lines.index("")]}


def test_default_feeds_are_listed_before_any_start(run):
    """Each with its URL and licence; none has rules before it was fetched."""
    found = {feed["name"]: feed for feed in run.good("feeds", "list", "--json").json}
    assert {"ut1-ai", "doh"} <= set(found)
    assert all(feed["url"].startswith("https://") and feed["licence"] for feed in found.values())
    header, *lines = run.good("feeds", "list").lines
    assert header.split()[:4] == ["feed", "is", "status", "version"]
    assert len(lines) == len(found)
    assert table(run, "ut1-ai")["reached"] == "never"
    assert table(run, "ut1-ai")["subject"] == "feed:ut1-ai and ai"


def test_list_without_feeds(run):
    for feed in run.good("feeds", "list", "--json").json:
        run.good("feeds", "remove", feed["name"])
    assert run.good("feeds", "list").lines == ["no feeds"]
    assert run.good("sync").lines == ["no feed is enabled"]


def test_added_feed_gets_a_statement_and_says_what_is_next(run, lists):
    added = run.good("feeds", "add", lists.url("ai-sites.txt"), "--allow-private")
    assert added.lines == [
        "added feed ai-sites: stored as generation 1; no server runs on this data folder",
        "fetch it now with: sinkhole sync ai-sites",
    ]
    assert ["feed:ai-sites", "block"] in [line.split()[:2] for line in run.good("policy", "list").lines]
    again = run.good("feeds", "add", lists.url("other"), "--name", "ai-sites", "--match", "exact", "--interval", "600")
    assert again.out.startswith("changed feed ai-sites: ")
    shown = table(run, "ai-sites")
    assert shown["format"] == "auto; rows match the name alone"
    assert shown["version"] == "none in force, none on disk"
    assert shown["url"] == lists.url("other")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/x", "wanted https://…, or file:NAME"),
        ("list.txt", "wanted https://…, or file:NAME"),
        ("https://", "wanted https://…, or file:NAME"),
        ("https://example.org:99999/x", "not a URL"),
        ("file:///", "the list file '/' is outside the list folder"),
        ("file:", "wanted file:NAME of a file in the list folder"),
        ("file:.", "wanted file:NAME of a file in the list folder"),
        ("file:../../etc/passwd", "is outside the list folder"),
        ("file:%2e%2e/store.db", "the list file '../store.db' is outside the list folder"),
        ("FILE:///etc/passwd", "the list file '/etc/passwd' is outside the list folder"),
        ("file://other.example/x", "names a file of this machine"),
        ("file:a%00b", "is not in the list folder"),
    ],
)
def test_url_that_can_never_be_fetched(run, url, said):
    assert said in run("feeds", "add", url).sentence


def test_wrong_words_about_feeds(run):
    assert "lower-case" in run("feeds", "add", "https://example.org/x", "--name", "Our List").sentence
    assert run("feeds", "show", "nope").sentence == "there is no feed 'nope'"
    assert run("sync", "ut1-ia").sentence == "there is no feed ut1-ia; did you mean ut1-ai?"
    for verb in ("remove", "enable", "disable", "diff", "rollback", "approve"):
        assert run("feeds", verb, "nope").sentence == "there is no feed 'nope'"
    done = run("feeds", "add", "https://example.org/x", "--format", "word")
    assert done.status == 2
    assert "'word' is not one of 'auto', 'hosts'" in done.error


def test_sync_puts_rules_in_force(run, ours):
    """R-F01: status 0, and what the list names is blocked."""
    assert run.good("check", "ai3.example.org").lines[-1] == "BLOCK"
    assert "feed        ours, line 4" in run.good("check", "ai3.example.org").out
    unchanged = run.good("sync", "ours")
    assert unchanged.lines[1].split()[:3] == ["ours", "unchanged", "10"]
    # Nothing is new, so nothing is compiled anew: feeds add, and the first sync.
    assert unchanged.lines[2:] == ["rules: stored as generation 2; no server runs on this data folder"]
    shown = run.good("feeds", "show", "ours", "--json").json
    assert (shown["status"], shown["version"], shown["rules"], shown["versions"]) == ("unchanged", 1, 10, [1])
    for key in ("fetched_at", "changed_at", "next_due"):
        assert shown[key].endswith("+00:00")
        assert "T" in shown[key]
    assert all(sync["at"].endswith("+00:00") for sync in shown["runs"])


def test_rules_that_somebody_else_fetched_are_in_force_too(run, ours):
    """As by a server that has stored a new version and has not put it in force yet."""
    ours.server.serve(rows(names(12)))
    state = open_state(load_settings(run.config, {}, {"server.data_dir": run.folder}))
    asyncio.run(sync_now(state, ("ours",), lambda result: None))
    state.close()
    in_force = partial(versions_in_force, compiled_folder(run.folder))
    assert in_force()["ours"] == 1
    done = run.good("sync", "ours")
    assert done.lines[1].split()[:3] == ["ours", "unchanged", "12"]
    assert done.lines[2:] == ["rules: stored as generation 3; no server runs on this data folder"]
    assert in_force()["ours"] == 2


def test_failed_sync_keeps_the_last_good_rules(run, ours):
    """R-F01: status 1, the reason, and the old rules."""
    ours.server.serve("gone", status=404)
    done = run("sync", "ours")
    assert done.status == 1
    assert done.error == ""  # told once, in the table
    assert done.lines[1].split()[:3] == ["ours", "kept", "10"]
    assert "404" in done.lines[1]
    assert run.good("check", "ai3.example.org").lines[-1] == "BLOCK"


def test_sync_with_nothing_usable(run, lists):
    """Status 2: no rules at all."""
    run.good("feeds", "add", lists.url("none"), "--name", "ours", "--allow-private")
    done = run("sync", "ours")
    assert done.status == 2
    assert done.lines[1].split()[:3] == ["ours", "failed", "0"]


def test_some_good_some_not_is_status_1(run, ours):
    run.good("feeds", "add", ours.url("none"), "--name", "other", "--allow-private")
    assert run("sync", "ours", "other").status == 1


def test_rejected_rows_are_shown_with_their_place(run, lists):
    lists.server.serve("a.example.org\ncom\n||b.example.org^\n" + "bad row\n" * 30)
    run.good("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    run("sync", "ours")
    out = run.good("feeds", "show", "ours").out
    assert "line 2, column 1: too wide" in out
    assert "the first 20" in out


def test_suspicious_content_waits_for_approval(run, ours):
    """R-F06: shrunk by more than half: quarantined, diffed, approved, rolled back."""
    ours.server.serve(rows(names(2)))
    held = run("sync", "ours")
    assert held.status == 1
    assert "quarantined" in held.lines[1]
    assert run.good("check", "ai7.example.org").lines[-1] == "BLOCK"
    assert table(run, "ours")["waiting"] == "version 2, for: sinkhole feeds approve ours"
    diff = run.good("feeds", "diff", "ours", "--limit", "3")
    assert diff.lines[0] == "feed ours, version 1 to 2: 0 added, 8 removed"
    assert diff.lines[1:] == ["- ||ai2.example.org^", "- ||ai3.example.org^", "- ||ai4.example.org^", "- … 5 more"]
    assert run.good("feeds", "approve", "ours").out.startswith("feed ours is at version 2: ")
    assert run.good("check", "ai7.example.org").lines[-1] == "NONE"
    assert run("feeds", "approve", "ours").sentence == "feed ours has no version that waits for approval"
    assert run.good("feeds", "rollback", "ours").out.startswith("feed ours is at version 1: ")
    assert run.good("check", "ai7.example.org").lines[-1] == "BLOCK"
    assert run("feeds", "rollback", "ours").sentence == "feed ours has no older version to go back to"
    assert run("feeds", "rollback", "ours", "9").sentence == "feed ours has no version 9"
    assert run("sync", "ours").status == 1  # what was left is not taken over again by itself
    assert run.good("check", "ai7.example.org").lines[-1] == "BLOCK"


def test_diff_needs_two_versions(run, ours):
    assert run("feeds", "diff", "ours").sentence == "feed ours has only one version: nothing to compare"
    assert run("feeds", "diff", "ut1-ai").sentence == "feed ut1-ai has no version yet: nothing to compare"
    ours.server.serve(rows(names(10, 1)))
    run.good("sync", "ours")
    said = run.good("feeds", "diff", "ours", "1", "2").lines
    assert said == ["feed ours, version 1 to 2: 1 added, 1 removed", "+ ||ai10.example.org^", "- ||ai0.example.org^"]


def test_disabled_feed_is_out_of_force_and_not_synced(run, ours):
    run.good("feeds", "disable", "ours")
    assert run.good("check", "ai3.example.org").lines[-1] == "NONE"
    assert table(run, "ours")["next sync"] == "never, it is off"
    enabled = run.good("feeds", "enable", "ours")
    assert len(enabled.lines) == 1
    assert run.good("check", "ai3.example.org").lines[-1] == "BLOCK"
    assert run.good("feeds", "enable", "ut1-vpn").lines[1] == (
        "it has no rules yet; fetch it now with: sinkhole sync ut1-vpn"
    )


def test_removed_feed_leaves_nothing(run, ours):
    run.good("groups", "add", "lab", "10.0.0.0/8")
    run.good("policy", "allow", "feed:ours", "--group", "lab")
    run.good("feeds", "remove", "ours")
    assert "feed:ours" not in run.good("policy", "list").out
    assert not (run.folder / "feeds" / "ours").exists()
    assert run.good("check", "ai3.example.org").lines[-1] == "NONE"


def test_private_host_needs_a_word(run, lists):
    """R-F04: a feed on a private address is fetched only when that was allowed."""
    lists.server.serve(rows(names(3)))
    run.good("feeds", "add", lists.url(), "--name", "ours")
    done = run("sync", "ours")
    assert done.status == 2
    assert "127.0.0.1" in done.lines[1]
    assert lists.server.seen == []


def test_local_list_is_read_from_its_folder_only(run):
    """R-F05: `file:` names a file below the lists folder."""
    (run.folder / "lists").mkdir(parents=True)
    (run.folder / "lists" / "own.txt").write_text("||own.example.org^\n@@||fine.own.example.org^\n")
    run.good("feeds", "add", "file:own.txt", "--format", "adblock")
    run.good("feeds", "add", "file:later.txt", "--name", "escape")
    (run.folder / "lists" / "later.txt").symlink_to("/etc/passwd")
    assert run("sync").status in (1, 2)
    assert run.good("check", "a.own.example.org").lines[-1] == "BLOCK"
    assert run.good("check", "fine.own.example.org").lines[-1] == "NONE"
    assert "is outside the list folder" in run.good("feeds", "show", "escape").out


def test_forced_sync_asks_for_the_content(run, lists):
    lists.server.serve_conditionally(rows(names(4)), '"one"')
    run.good("feeds", "add", lists.url(), "--name", "ours", "--format", "domains", "--allow-private")
    run.good("sync", "ours")
    run.good("sync", "ours")
    run.good("sync", "ours", "--force")
    asked = ["If-None-Match" in request.headers for request in lists.server.seen]
    assert asked == [False, True, False]
