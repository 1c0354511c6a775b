"""Groups, exceptions, and what goes before statements, on pages: changed as the command line does it, and escaped."""

import re
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sinkhole.app.exception_changes import Request, request_exception
from sinkhole.app.notice import notice_key
from sinkhole.blockpage.reference import reference_of
from sinkhole.policy.hit import HitRow
from sinkhole.store.audit import entries
from sinkhole.store.recorder import HitBatch, Recorder

SEQ = count(1)
GROUP = dict.fromkeys(("members", "order", "mode", "ipv4", "ipv6"), "")
EXCEPTION = dict.fromkeys(("subject", "ends", "reason", "client", "group", "owner", "ticket"), "")
OVERRIDE = dict.fromkeys(("minutes", "ends", "group", "subjects", "reason"), "")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;\\u202e"


@pytest.fixture(scope="module")
def browser(site):
    site.account("keeper")
    with site.browser("keeper") as found:
        yield found


@pytest.fixture(scope="module")
def reader(site):
    site.account("onlooker", "read")
    with site.browser("onlooker") as found:
        yield found


def version(page):
    return re.search(r'name="version" value="([0-9a-z]+)"', page.text)[1]


def newest(site):
    with site.state() as state, state.store.reading() as connection:
        return entries(connection, 1)[0]


def make(browser, name, members):
    done = browser.post("/groups/new", data=GROUP | {"name": name, "members": members})
    assert (done.status_code, done.headers.get("Location")) == (303, f"/groups/{name}"), done.text


def later(days=7):
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def ask(site, **values):
    wanted = {
        "subject": "product:deepseek/api",
        "reason": "a test",
        "client": "192.0.2.7",
        "owner": "Ms Weber",
    } | values
    with site.state() as state:
        return request_exception(state, Request(ends=datetime.now(UTC) + timedelta(days=3), **wanted)).id


def explained(browser, name, client):
    return browser.get("/api/v1/explain", params={"name": name, "client": client}).json()


def test_group_is_made_filled_emptied_and_removed(site, browser):
    assert "There is no group." in browser.get("/groups").text
    make(browser, "staff", "192.0.2.0/24\nname:*.lab.example.org, mac:AA:BB:CC:DD:EE:FF")
    page = browser.get("/groups/staff")
    assert "The group staff was made." in page.text
    assert "mac:aa:bb:cc:dd:ee:ff" in page.text
    added = GROUP | {"members": "198.51.100.9", "order": "20", "mode": "nxdomain", "version": version(page)}
    assert browser.post("/groups/staff/members", data=added).status_code == 303
    assert explained(browser, "example.org", "198.51.100.9")["groups"] == ["staff"]
    page = browser.get("/groups/staff")
    assert "order 20; blocked names are answered by nxdomain" in page.text
    gone = browser.post(
        "/groups/staff/remove", data={"member": ["198.51.100.9", "192.0.2.0/24"], "version": version(page)}
    )
    assert gone.status_code == 303
    assert "Removed 2: staff has 2 members." in browser.get("/groups/staff").text
    assert newest(site).what.startswith("group staff")
    page = browser.get("/groups/staff")
    assert browser.post("/groups/staff/delete", data={"version": version(page)}).status_code == 303
    assert browser.get("/groups/staff").status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "Staff Room", "members": "192.0.2.1"}, "name: wanted up to 63 lower-case letters"),
        ({"name": "room", "members": ""}, "members: name at least one"),
        ({"name": "room", "members": "192.0.2.256"}, "192.0.2.256"),
        ({"name": "room", "members": "192.0.2.1", "order": "high"}, "order: "),
        ({"name": "room", "members": "192.0.2.1", "ipv4": "2001:db8::1"}, "no IPv4 address"),
    ],
)
def test_group_that_cannot_be_keeps_what_was_typed(browser, values, said):
    refused = browser.post("/groups/new", data=GROUP | {"ipv6": "kept<"} | values)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'value="kept&lt;"' in refused.text


def test_two_who_change_a_group(browser):
    make(browser, "pair", "192.0.2.1")
    seen = version(browser.get("/groups/pair"))
    first = browser.post("/groups/pair/members", data=GROUP | {"members": "192.0.2.2", "version": seen})
    assert first.status_code == 303
    late = browser.post("/groups/pair/members", data=GROUP | {"members": "192.0.2.3", "version": seen})
    assert late.status_code == 412
    assert "192.0.2.3</textarea>" in late.text
    assert browser.post("/groups/pair/remove", data={"version": version(late)}).status_code == 422
    again = browser.post("/groups/new", data=GROUP | {"name": "pair", "members": "192.0.2.9"})
    assert again.status_code == 422
    assert "there is a group pair already" in again.text


def test_group_tells_what_it_tried_to_who_may_know(site, browser, reader):
    make(browser, "pupils", "203.0.113.0/24")
    at = int(time.time()) - 60
    rows = [
        HitRow(at // 60, f"203.0.113.{n}", "pupils", "chat.deepseek.com", 1, "block", "deepseek", "deepseek/chat", None,
               "ai", 2, at, at) for n in (1, 2)
    ]  # fmt: skip
    with site.state() as state:
        assert Recorder(state.store, str).write(HitBatch("w", next(SEQ), tuple(rows), 0))
    page = browser.get("/groups/pupils").text
    assert "DeepSeek" in page.partition("What it tried")[2].partition("Members")[0]
    assert "What it tried" not in reader.get("/groups/pupils").text
    assert 'name="member"' not in reader.get("/groups/pupils").text


def test_thousands_of_members_come_in_pages(browser):
    members = "\n".join(f"10.9.{n // 250}.{n % 250}" for n in range(450))
    make(browser, "crowd", members)
    page = browser.get("/groups/crowd")
    assert page.text.count('name="member"') == 100
    following = re.search(r'rel="next" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    assert browser.get(following).text.count('name="member"') == 100
    assert browser.get("/groups/crowd?text=10.9.1.2").text.count('name="member"') == 11


def test_requested_exception_comes_first_with_the_query_that_led_to_it(site, browser, reader):
    at = int(time.time())
    client, name = "192.0.2.77", "chat.mistral.ai"
    row = HitRow(at // 60, client, None, name, 1, "block", "mistral", "mistral/chat", None, "ai", 1, at, at)
    with site.state() as state:
        assert Recorder(state.store, str).write(HitBatch("w", next(SEQ), (row,), 0))
        reference = str(reference_of(notice_key(state.folder), client, name, at // 60))
    number = ask(site, subject="mistral", client=client, ticket=reference, reason=HOSTILE)
    page = browser.get("/exceptions").text
    assert "1 request waits for a decision." in page
    assert ESCAPED in page
    assert "<img" not in page
    shown = browser.get(f"/exceptions/{number}").text
    assert "What led to it" in shown
    assert name in shown
    assert name not in reader.get(f"/exceptions/{number}").text, "what was recorded shown to accounts that may report"
    assert "Approve" not in reader.get(f"/exceptions/{number}").text


def test_exception_is_looked_at_approved_and_revoked(site, browser):
    number = ask(site)
    path = f"/exceptions/{number}"
    page = browser.get(path)
    looked = browser.post(path, data={"look": "approve", "version": version(page)})
    assert "What this would do" in looked.text
    assert browser.get(f"/api/v1{path}").json()["state"] == "requested", "a look decides nothing"
    assert browser.post(path, data={"do": "approve", "version": version(looked)}).status_code == 303
    told = browser.get(f"/api/v1{path}").json()
    assert (told["state"], told["approver"], told["own"]) == ("approved", "admin keeper", False)
    assert explained(browser, "api.deepseek.com", "192.0.2.7")["override"]
    late = browser.post(path, data={"do": "deny", "version": version(page)})
    assert late.status_code == 412
    page = browser.get(path)
    assert browser.post(path, data={"look": "revoke", "version": version(page)}).status_code == 200
    assert browser.post(path, data={"do": "revoke", "version": version(page)}).status_code == 303
    assert browser.get(f"/api/v1{path}").json()["state"] == "revoked"
    assert "revoked" in newest(site).what


def test_exception_is_denied(site, browser):
    path = f"/exceptions/{ask(site, client='192.0.2.8')}"
    assert browser.post(path, data={"do": "deny", "version": version(browser.get(path))}).status_code == 303
    assert browser.get(f"/api/v1{path}").json()["state"] == "denied"
    assert 'name="do"' not in browser.get(path).text


def test_own_approval_is_marked(browser):
    sent = EXCEPTION | {"subject": "openai", "ends": later(), "reason": "pilot", "client": "192.0.2.10"}
    assert "What this would do" in browser.post("/exceptions/new", data=sent).text
    asked = browser.post("/exceptions/new", data=sent | {"do": "ask"})
    assert asked.status_code == 303
    path = asked.headers["Location"]
    page = browser.get(path)
    assert "You asked for this yourself." in page.text
    browser.post(path, data={"do": "approve", "version": version(page)})
    assert "who asked for it approved it" in browser.get(path).text
    assert "own request" in browser.get("/exceptions?state=approved").text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ends": ""}, "ends: "),
        ({"ends": "2001-01-01T00:00"}, "ended"),
        ({"reason": ""}, "reason: "),
        ({"client": "not-an-address"}, "not-an-address"),
        ({"client": "192.0.2.1", "group": "pair"}, "not for both"),
        ({"subject": "mistrall"}, "did you mean"),
    ],
)
@pytest.mark.parametrize("do", ["look", "ask", "approve"])
def test_exception_that_cannot_be_keeps_what_was_typed(browser, values, said, do):
    sent = EXCEPTION | {"subject": "openai", "ends": later(), "reason": "r", "ticket": "kept-5", "do": do} | values
    refused = browser.post("/exceptions/new", data=sent)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'value="kept-5"' in refused.text


def test_pause_and_lockdown_are_begun_and_lifted(site, browser):
    assert "Nothing is on." in browser.get("/overrides").text
    begun = browser.post("/overrides/lockdown", data=OVERRIDE | {"minutes": "30", "reason": HOSTILE})
    assert begun.status_code == 303, begun.text
    page = browser.get("/overrides").text
    assert ESCAPED in page
    assert explained(browser, "claude.ai", "192.0.2.99")["outcome"] == "BLOCK"
    assert (
        browser.post("/overrides/pause", data=OVERRIDE | {"ends": later(1), "subjects": "openai, mistral"}).status_code
        == 303
    )
    told = browser.get("/api/v1/overrides").json()["items"]
    assert {(one["kind"], tuple(one["subjects"])) for one in told} >= {("pause", ("vendor:openai", "vendor:mistral"))}
    for one in told:
        assert browser.post(f"/overrides/{one['kind']}/{one['id']}/lift", content=b"", headers=FORM).status_code == 303
    assert "Nothing is on." in browser.get("/overrides").text
    assert newest(site).origin == "web from 127.0.0.1"
    gone = browser.post(f"/overrides/pause/{told[0]['id']}/lift", content=b"", headers=FORM)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"minutes": "0"}, "minutes: "),
        ({"ends": later(30)}, "7 days"),
        ({"minutes": "5", "group": "nobody"}, "there is no group"),
        ({"minutes": "5", "subjects": "mistrall"}, "did you mean"),
    ],
)
def test_pause_that_cannot_be_keeps_what_was_typed(browser, values, said):
    refused = browser.post("/overrides/pause", data=OVERRIDE | {"reason": "kept-9"} | values)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'value="kept-9"' in refused.text
    assert browser.post("/overrides/grant", data=OVERRIDE).status_code == 404


def test_get_changes_nothing(site, browser):
    before = newest(site)
    for path in ("/overrides/pause", "/groups/pair/delete", "/overrides/pause/1/lift", "/groups/pair/members"):
        assert browser.get(path).status_code == 405
    assert newest(site) == before
