"""Feeds on pages: what waits is shown with what it changes, approved, gone back from; syncs are told as they go."""

import re
import time

import pytest

from sinkhole import __version__
from sinkhole.store.audit import entries
from sinkhole.web.syncing import Outcome

FORM = dict.fromkeys(("url", "name", "format", "match", "interval", "key"), "") | {"format": "auto", "match": "format"}


@pytest.fixture(scope="module")
def browser(site):
    site.account("keeper")
    with site.browser("keeper") as found:
        yield found


def version(page):
    return re.search(r'name="version" value="([0-9a-z]+)"', page.text)[1]


def write(site, count, extra=""):
    folder = site.settings.server.data_dir / "lists"
    folder.mkdir(exist_ok=True)
    (folder / "own.txt").write_text("".join(f"host{at}.list.example.org\n" for at in range(count)) + extra)


def sync(browser, name="own"):
    done = browser.post("/feeds/sync", data={"feed": name})
    assert (done.status_code, done.headers["Location"]) == (303, f"/feeds/{name}")
    until = time.monotonic() + 20
    while browser.get("/api/v1/sync").json()["last"]["outcome"] == "running":
        assert time.monotonic() < until


def newest(site):
    with site.state() as state, state.store.reading() as connection:
        return entries(connection, 1)[0]


def act(browser, what, path="/feeds/own"):
    page = browser.get(path)
    return browser.post(f"{path}/{what}", data={"version": version(page)})


@pytest.fixture(scope="module")
def feed(site, browser):
    """A list with two versions in force one after the other, and a third that waits."""
    write(site, 300, "not a name at all <b>\n")
    made = browser.post("/feeds/new", data=FORM | {"url": "file:own.txt", "name": "own"})
    assert (made.status_code, made.headers["Location"]) == (303, "/feeds/own")
    assert "No version yet." in browser.get("/feeds/own").text
    for count in (300, 310, 10):
        write(site, count, "not a name at all <b>\n")
        sync(browser)
    return "own"


def test_what_waits_is_shown_with_why_and_what_changes(browser, feed):
    page = browser.get("/feeds/own").text
    assert "Version 3 waits for approval" in page
    assert "it shrank from 310 to 10 rules" in page
    assert "1 feed has a version that waits for approval." in browser.get("/feeds").text
    diff = browser.get("/feeds/own/diff").text
    assert "Would come: 0" in diff
    assert "Would go: 300" in diff
    assert "host299.list.example.org" not in diff.partition("Would go")[0]
    assert "Came: 10" in browser.get("/feeds/own/diff?old=1&new=2").text
    assert "There is nothing to compare." in browser.get("/feeds/own/diff?old=8&new=9").text
    waiting = browser.get("/feeds?which=waiting").text
    assert "1 of " in waiting


def test_rows_that_were_not_accepted_have_their_lines(browser, feed):
    page = browser.get("/feeds/own/rejections").text
    assert f"<footer>Sinkhole {__version__}</footer>" in page, "not the version of the feed"
    assert "not a name at all &lt;b&gt;" in page
    assert '<th scope="row" class="n">11</th>' in page
    assert "No row fits." in browser.get("/feeds/own/rejections?text=zzz").text
    assert "310" in browser.get("/feeds/own/runs").text


def test_version_is_approved_and_gone_back_from(site, browser, feed):
    assert act(browser, "approve").status_code == 303
    assert newest(site).what == "feed own approved"
    assert browser.get("/api/v1/feeds/own").json()["rules"] == 10
    again = act(browser, "approve")
    assert again.status_code == 422
    assert "waits for approval" in again.text
    assert act(browser, "rollback/1").status_code == 303
    assert newest(site).what == "feed own rolled back"
    page = browser.get("/feeds/own").text
    assert "Version 1 is in force; what was left is not taken over again." in page
    assert "gone back from" in page
    assert act(browser, "rollback/77").status_code == 422


def test_feed_is_switched_off_and_on(site, browser, feed):
    assert act(browser, "disable").status_code == 303
    assert browser.get("/api/v1/explain?name=host1.list.example.org").json()["outcome"] == "NONE"
    assert "off" in browser.get("/feeds?which=off").text
    assert act(browser, "enable").status_code == 303
    assert browser.get("/api/v1/explain?name=host1.list.example.org").json()["outcome"] == "BLOCK"


def test_two_who_decide_on_a_feed(browser, feed):
    seen = version(browser.get("/feeds/own"))
    assert act(browser, "disable").status_code == 303
    late = browser.post("/feeds/own/enable", data={"version": seen})
    assert late.status_code == 412
    assert "somebody else changed it meanwhile" in late.text
    assert act(browser, "enable").status_code == 303


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": ""}, "url: "),
        ({"url": "gopher://example.org/x"}, "wanted https://"),
        ({"url": "https://example.org/x", "name": "Not Good"}, "name: "),
        ({"url": "https://example.org/x", "format": "poem"}, "there is no format"),
        ({"url": "https://example.org/x", "interval": "5"}, "interval: "),
        ({"url": "https://example.org/x", "key": "RWQ"}, "catalogue"),
        ({"url": "https://example.org/other", "name": "own"}, "there is a feed own already"),
    ],
)
def test_feed_that_cannot_be_keeps_what_was_typed(browser, feed, values, said):
    refused = browser.post("/feeds/new", data=FORM | {"part_of_ai": "1"} | values)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'name="part_of_ai" type="checkbox" value="1" autocomplete="off" checked' in refused.text


def test_second_sync_is_told_to_wait(site, browser, feed):
    site.context.syncing.last = site.context.syncing.last.model_copy(update={"outcome": Outcome.RUNNING, "results": []})
    try:
        assert browser.post("/feeds/sync", data={"feed": "own"}).status_code == 303
        page = browser.get("/feeds").text
        assert "a sync is under way; wait until it has ended" in page
        assert 'data-running="1"' in page
        assert "0 of 1 feeds" in page
    finally:
        site.context.syncing.last = site.context.syncing.last.model_copy(update={"outcome": Outcome.DONE})
    assert browser.post("/feeds/sync", data={"feed": "nowhere"}).status_code == 422


def test_feed_is_removed_with_its_versions(site, browser, feed):
    done = act(browser, "remove")
    assert (done.status_code, done.headers["Location"]) == (303, "/feeds")
    assert browser.get("/feeds/own").status_code == 404
    assert not (site.settings.server.data_dir / "feeds" / "own").exists()
    assert browser.get("/feeds/own/diff").status_code == 404


def test_reader_sees_feeds_and_no_way_to_change_them(site):
    site.account("onlooker", "read")
    with site.browser("onlooker") as reader:
        for path in ("/feeds", "/feeds/doh", "/feeds/doh/runs", "/feeds/doh/rejections", "/feeds/doh/diff"):
            page = reader.get(path)
            assert page.status_code == 200, path
            assert 'action="/feeds/' not in page.text.replace('action="/feeds/doh/rejections"', "")
        assert reader.get("/feeds/new").status_code == 403
