"""The first page, vendors and dossiers: contents, rights, hostile names, empty states, thousands of rows."""

import re
import time

import pytest

from sinkhole.app.state import compile_state
from sinkhole.policy.feed import Feed
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.web.pages.table import PAGES
from tests.web.seeded import DAY, hit, note_again, record


@pytest.fixture(scope="module")
def browsers(site):
    """One for each role, on a site with hits of two vendors, a month long."""
    for role in ("read", "report", "manage"):
        site.account(f"{role}er", role)
    return {role: site.browser(f"{role}er") for role in ("read", "report", "manage")}


@pytest.fixture(scope="module")
def seeded(site, browsers):
    empty = browsers["report"].get("/").text
    rows = [hit(day * DAY + 60, f"192.0.2.{day % 5 + 1}") for day in range(25)]
    rows += [hit(day * DAY + 90, "198.51.100.9", "chatgpt.com", "openai", "monitor") for day in range(3)]
    record(site, *rows)
    return empty


def test_empty_overview_says_what_will_be_there(seeded):
    assert "Nobody tried an AI vendor in this time." in seeded
    assert "Nothing was recorded before that" in seeded
    assert '<svg viewBox="0 0 860' not in seeded


def test_overview_shows_attempts_and_who_is_at_the_top(browsers, seeded):
    page = browsers["report"].get("/").text
    assert "<dd>6</dd>" in page, "clients"
    assert "<dd>28</dd>" in page, "attempts"
    assert '<a href="/vendors/deepseek">DeepSeek</a>' in page
    assert '<a href="/clients/192.0.2.1">192.0.2.1</a>' in page
    assert '<a href="/vendors?jurisdiction=CN">CN</a>' in page
    assert "DeepSeek: 1" in page, "titles to point at"
    assert page.count('class="chart"') == 2, "a wide and a narrow one"
    assert "Numbers of the plot" in page
    assert re.search(r'aria-labelledby="new">.*?OpenAI', page, re.S), "tried this week, and never before"


def test_span_is_kept_in_links(browsers, seeded):
    page = browsers["report"].get("/?span=24h").text
    assert '<a href="/vendors/deepseek?span=24h">' in page
    assert 'href="/vendors?span=24h"' in page, "in the navigation too"
    assert "<dd>2</dd>" in page
    assert "UTC" in page
    longer = browsers["report"].get("/?span=90d").text
    assert longer.count('class="at"') == 2 * 90
    assert browsers["report"].get("/?span=1y").status_code == 400


def test_who_may_not_see_people_sees_how_the_server_stands(browsers, seeded):
    page = browsers["read"].get("/").text
    assert "shown to accounts that may report" in page
    assert "192.0.2." not in page
    assert "generation 1" in page
    assert "Reports" not in page
    dossier = browsers["read"].get("/vendors/deepseek").text
    assert "198.51" not in dossier
    assert "192.0.2" not in dossier
    listed = browsers["read"].get("/vendors?text=deepseek")
    assert "Attempts" not in listed.text
    assert browsers["read"].get("/clients").status_code == 403


def test_health_tells_findings_and_what_waits(site, browsers):
    page = browsers["read"].get("/").text
    assert "has no rules: not synced yet" in page
    assert "0 exceptions asked for" in page
    with site.state() as state, state.store.transaction():
        for number in range(30):
            state.feeds.put(Feed(f"many-{number}", f"https://lists.example.org/{number}"))
    page = browsers["read"].get("/").text
    findings = page.partition('<ul class="findings">')[2].partition("</ul>")[0]
    assert findings.count("<strong>") == 12
    assert "more like these" in findings
    with site.state() as state, state.store.transaction():
        for number in range(30):
            state.feeds.remove(f"many-{number}")


def test_vendors_are_filtered_and_come_in_pages(browsers, seeded):
    browser = browsers["report"]
    first = browser.get("/vendors").text
    assert first.index("DeepSeek") < first.index("OpenAI") < first.index("Next page"), "most tried first"
    assert "1 vendor fits" in browser.get("/vendors?text=chat.deepseek.com").text
    assert "No vendor fits." in browser.get("/vendors?text=no-such-thing").text
    assert "2 vendors fit" in browser.get("/vendors?seen=yes").text
    assert "DeepSeek" not in browser.get("/vendors?jurisdiction=US&category=chat").text
    for wrong in ("jurisdiction=us", "verdict=perhaps", "limit=0", "limit=x", "other=1"):
        assert browser.get(f"/vendors?{wrong}").status_code == 400


def test_all_vendors_are_on_some_page(browsers, seeded):
    seen, address = [], "/vendors?limit=200"
    for _ in range(20):
        page = browsers["read"].get(address).text
        seen += re.findall(r'<th scope="row"><a href="/vendors/([a-z0-9-]+)', page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        if found is None:
            break
        address = found[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) > 1500
    assert browsers["read"].get("/vendors?cursor=gone").status_code == 200


def test_dossier_has_verdicts_clients_and_statements(site, browsers, seeded):
    at = int(time.time())
    with site.state() as state:
        state.policy.put_group(Group("lab", ("192.0.2.0/24",)))
        about = Subject(SubjectKind.VENDOR, "deepseek")
        state.policy.put(Statement(0, about, Action.ALLOW, group="lab", reason="<i>study</i>"))
        compile_state(state)
        note_again(state, "policy allow vendor:deepseek for group:lab", at - 10 * DAY)
    page = browsers["report"].get("/vendors/deepseek").text
    assert "Group lab" in page
    assert "&lt;i&gt;study&lt;/i&gt;" in page
    assert '<a class="name" href="/clients/192.0.2.1">192.0.2.1</a>' in page
    assert "9 days before" in page
    assert "+0 %" in page
    assert "vendor:deepseek: allow for group:lab" in page, "its change is marked"
    edited = 'href="/policy/new?subject=vendor%3Adeepseek"' in browsers["manage"].get("/vendors/deepseek").text
    assert edited is any(page.path == "/policy" for page in PAGES)
    assert "/policy/new" not in page
    assert browsers["read"].get("/vendors/no-such").status_code == 404
    assert browsers["read"].get("/vendors/UPPER").status_code == 404


def test_no_page_has_script_or_style_of_its_own(browsers, seeded):
    for path in (
        "/",
        "/vendors",
        "/vendors/deepseek",
        "/clients",
        "/clients/192.0.2.1",
        "/reports",
        "/explain?name=x.org",
    ):
        page = browsers["manage"].get(path).text
        assert "<script" not in page
        assert " style=" not in page
        assert "<style" not in page
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
