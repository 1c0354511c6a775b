"""Clients, reports, reveals, the live view and the explain page."""

import json
import re
import time

import pytest

from sinkhole.store.audit import entries
from sinkhole.store.pseudonym import client_writer
from tests.web.seeded import DAY, HOSTILE, hit, meet, record


@pytest.fixture(scope="module")
def browser(site):
    site.account("reporter", "report")
    record(
        site,
        *(hit(day * DAY + 60, "192.0.2.7", group="lab") for day in range(20)),
        *(hit(day * DAY + 500, f"192.0.2.{day + 20}") for day in range(4)),
        hit(30, "192.0.2.9", HOSTILE, "openai", "monitor"),
        *(hit(hour * 3600 + 5, "192.0.2.7", "dns.google", None, subject="bypass:encrypted-dns") for hour in range(3)),
        hit(10, "id:<b>&/x", "chatgpt.com", "openai", "monitor"),
    )
    meet(site, "192.0.2.7", "aa:bb:cc:dd:ee:ff", "pc7.lab.example")
    with site.browser("reporter") as found:
        yield found


def test_clients_are_listed_filtered_and_escaped(browser):
    page = browser.get("/clients").text
    assert page.index("192.0.2.7") < page.index("192.0.2.9"), "most attempts first"
    assert "pc7.lab.example" in page
    assert '<td data-label="Bypass score" class="n">12</td>' in page, "three hours with a name on a way round"
    assert "id:&lt;b&gt;&amp;/x" in page
    assert "<b>" not in page
    assert "1 client seen" in browser.get("/clients?text=AA:BB:CC").text
    assert "No client fits." in browser.get("/clients?text=none").text
    assert "192.0.2.7" not in browser.get("/clients?group=lab").text, "there is no such group now"
    assert browser.get("/clients?group=-").status_code == 200
    assert browser.get("/clients?span=2d").status_code == 400
    second = browser.get("/clients?limit=2&cursor=192.0.2.7").text
    assert ">192.0.2.7<" not in second


def test_client_page_tells_what_it_asked_and_what_is_innocent(browser):
    page = browser.get("/clients/192.0.2.7").text
    assert "aa:bb:cc:dd:ee:ff" in page
    assert "12 of 100" in page
    assert "Innocent causes: Apps with encrypted DNS of their own" in page
    assert '<a href="/vendors/deepseek">DeepSeek</a>' in page
    assert 'href="/explain?name=dns.google&amp;client=192.0.2.7"' in page
    assert browser.get("/clients/192.0.2.7?span=24h").status_code == 200
    assert browser.get("/clients/203.0.113.1").status_code == 404
    assert browser.get("/clients/%3Cscript%3E").status_code == 404


def test_hostile_names_of_clients_are_text(browser):
    page = browser.get("/clients/192.0.2.9").text
    assert r"\u202e&lt;script&gt;alert(1)&lt;/script&gt;\x1b[2J\x07.example" in page
    assert "<script>" not in page
    assert "\u202e" not in page
    by_id = browser.get("/clients/id:%3Cb%3E%26%2Fx")
    assert by_id.status_code == 200
    assert "id:&lt;b&gt;&amp;/x" in by_id.text


def test_report_is_shown_and_had_as_files(browser):
    page = browser.get("/reports?by=group").text
    assert "6 clients" in page or "7 clients" in page
    assert "By group" in page
    kinds = {"html": "text/html", "csv": "text/csv", "json": "application/json", "md": "text/markdown"}
    for form, kind in kinds.items():
        address = f"/reports/evidence.{form}?by=group"
        assert f'href="{address}" download' in page
        file = browser.get(address)
        assert file.headers["Content-Type"].startswith(kind)
        assert f".{form}" in file.headers["Content-Disposition"]
        assert "DeepSeek" in file.text
    assert json.loads(browser.get("/reports/evidence.json").text)["by"] == "vendor"
    assert browser.get("/reports/evidence.exe").status_code == 404


def test_report_compares_around_a_day_or_says_why_not(browser):
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * DAY))
    page = browser.get(f"/reports?around={day}").text
    assert "Clients before" in page
    assert f"{day} {day}" in page, "the day is marked on the plot"
    nothing = browser.get("/reports?around=1999-01-01")
    assert nothing.status_code == 422
    assert "nothing was recorded before it" in nothing.text
    assert "--" not in nothing.text.split("<main")[1]
    assert browser.get("/reports?around=99999").status_code == 422


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("since=2026-13-01", "since: wanted a date such as 2026-11-01"),
        ("since=2026-11-02&until=2026-11-01", "the last day is before the first"),
        ("by=client&k=3", "tells each client by itself"),
        ("k=0", "k: "),
        ("k=1e3", "k: wanted a whole number"),
        ("around=1'--", "around: "),
        ("around=2026-02-30", "wanted a date"),
        ("by=everything", "by: "),
    ],
)
def test_report_that_cannot_be_says_so_in_a_sentence(browser, wrong, said):
    page = browser.get(f"/reports?{wrong}")
    assert page.status_code == 400
    assert said in page.text.replace("&#39;", "'")
    assert "Value error" not in page.text
    assert browser.get(f"/reports/evidence.csv?{wrong}").status_code == 400


def test_floor_tells_nothing_of_few(browser):
    page = browser.get("/reports?k=5").text
    assert "Fewer than" not in page
    assert "fewer than 5 clients, merged" in page
    assert "OpenAI" not in page.split("By vendor")[1]


def test_pseudonyms_are_revealed_to_managers_and_noted(site, browser):
    by_client = browser.get("/reports?by=client&pseudonyms=1").text
    with site.state() as state:
        pseudonym = client_writer("pseudonym", state.folder)("192.0.2.7")
    assert pseudonym in by_client
    assert "192.0.2.7" not in by_client
    assert browser.get("/reports/reveal").status_code == 403
    site.account("revealer")
    with site.browser("revealer") as manager:
        refused = manager.post("/reports/reveal", data={"pseudonym": pseudonym, "reason": ""})
        assert refused.status_code == 422
        assert pseudonym in refused.text
        told = manager.post("/reports/reveal", data={"pseudonym": pseudonym, "reason": "case 7"})
        assert f"{pseudonym} is 192.0.2.7." in told.text
        assert "is no client" in manager.post("/reports/reveal", data={"pseudonym": "p-0", "reason": "x"}).text
    with site.state() as state, state.store.reading() as connection:
        noted = entries(connection, 2)
    assert [entry.who for entry in noted] == ["admin revealer"] * 2
    assert noted[1].what == f"report reveal {pseudonym}"
    assert "case 7" in noted[1].after
    assert "192.0.2.7" not in noted[1].after


def test_bypass_report_has_scores_and_innocent_causes(browser):
    page = browser.get("/reports/bypass").text
    assert "192.0.2.7" in page
    assert "What looks the same and is innocent" in page
    assert "No client looks so" in browser.get("/reports/bypass?span=24h").text or "192.0.2.7" in page


def test_live_view_begins_with_what_there_is(browser):
    page = browser.get("/live").text
    assert '<script src="/static/live.js" defer></script>' in page
    assert page.count("<script") == 1
    assert "Without script" in page
    assert r"\u202e&lt;script&gt;" in page
    script = browser.get("/static/live.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "innerHTML" not in script.text


def test_explain_page_tells_the_steps(browser):
    page = browser.get("/explain?name=chat.deepseek.com&client=192.0.2.7").text
    assert "vendor:deepseek" in page or "ai" in page
    assert "What decides" in page
    assert '<a href="/vendors/deepseek">deepseek</a>' in page
    wrong = browser.get("/explain?name=https://x.example/y&client=192.0.2.7")
    assert wrong.status_code == 422
    assert "found a URL" in wrong.text
    assert 'value="https://x.example/y"' in wrong.text
    hostile = browser.get("/explain", params={"name": HOSTILE})
    assert "<script>" not in hostile.text
    assert browser.get("/explain?name=a.example&client=<b>").status_code == 422
    assert browser.get("/explain?name=a.example&at=2026-11-01T09:30").status_code == 200
    for wrong in ("tomorrow", "2026-11-01T09:30x", "2026-13-01T09:30", "0001-01-01T00:00"):
        assert "at: wanted a time" in browser.get(f"/explain?name=a.example&at={wrong}").text
    assert "Nothing asked yet." in browser.get("/explain").text


def test_thousands_of_clients_come_in_pages(site, browser):
    record(site, *(hit(30, f"10.0.{n // 250}.{n % 250}", "chatgpt.com", "openai", "monitor") for n in range(1500)))
    seen, address = set(), "/clients?limit=200"
    for _ in range(10):
        page = browser.get(address).text
        seen |= set(re.findall(r'href="/clients/(10\.0[^"]+)"', page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        if found is None:
            break
        address = found[1].replace("&amp;", "&")
    assert len(seen) == 1500
    assert "500 of" in browser.get("/reports?by=client").text


@pytest.mark.parametrize(
    ("scope", "path", "hidden"),
    [
        ("report:hits", "/clients/192.0.2.7", ["aa:bb:cc", "of 100"]),
        ("report:clients", "/clients", ['<td data-label="Bypass score" class="n">12</td>']),
        ("read:catalogue", "/vendors/deepseek", ["vendor:deepseek</strong>", "192.0.2.7", "What policy says"]),
        ("read:catalogue", "/vendors", ['class="badge']),
    ],
)
def test_pages_of_several_kinds_show_what_the_scope_is_for(site, browser, scope, path, hidden):
    whole = browser.get(path).text
    with site.client(site.token(scope)) as program:
        page = program.get(path)
    assert page.status_code == 200
    for text in hidden:
        assert text not in page.text
    assert any(text in whole for text in hidden)
