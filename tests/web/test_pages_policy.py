"""The policy editor, expectations and the policy file: looked at first, saved once, told to the next of two."""

import re

import pytest

from sinkhole.policy.expectation import Expectation
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject, SubjectKind
from sinkhole.policy.verdict import Action
from sinkhole.store.audit import entries

FORM = dict.fromkeys(("subject", "action", "group", "reason", "owner", "ticket", "expires", "schedule", "basis"), "")
HOSTILE = "<script>alert(1)</script>\u202e"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e"


@pytest.fixture(scope="module")
def browser(site):
    site.account("editor")
    with site.browser("editor") as found:
        yield found


def version(page):
    return re.search(r'name="version" value="([0-9a-z]+)"', page.text)[1]


def form(browser, path="/policy/new", **values):
    return FORM | {"version": version(browser.get(path))} | values


def save(browser, path="/policy/new", **values):
    return browser.post(path, data=form(browser, path, do="save", **values))


def number_of(browser, subject):
    found = browser.get("/api/v1/policy/statements?limit=500").json()["items"]
    return next(one["id"] for one in found if one["subject"] == subject)


def outcome(browser, name):
    return browser.get("/api/v1/explain", params={"name": name}).json()["outcome"]


def newest(site):
    with site.state() as state, state.store.reading() as connection:
        return entries(connection, 1)[0]


def expect(site, *expected):
    with site.state() as state:
        state.expectations.replace(expected)


def test_look_changes_nothing_and_keeps_the_form(site, browser):
    before = newest(site)
    looked = browser.post("/policy/new", data=form(browser, subject="mistral", action="allow", reason="why & how"))
    assert looked.status_code == 200
    assert "What this would do" in looked.text
    assert "known names: block → allow" in looked.text
    assert "It breaks no expectation." in looked.text
    assert 'value="why &amp; how"' in looked.text
    assert newest(site) == before


def test_saved_statement_decides_and_is_in_the_audit_log(site, browser):
    saved = save(browser, subject="mistral", action="block", reason="B-1", owner="o", ticket="T-1")
    assert (saved.status_code, saved.headers["Location"]) == (303, "/policy")
    assert "Saved: block vendor:mistral for all." in browser.get("/policy").text
    assert outcome(browser, "chat.mistral.ai") == "BLOCK"
    entry = newest(site)
    assert (entry.what, entry.who, entry.origin) == (
        "policy block vendor:mistral for all", "admin editor", "web from 127.0.0.1",
    )  # fmt: skip


def test_edit_may_move_a_statement(browser):
    assert save(browser, subject="cohere", action="block", reason="old").status_code == 303
    path = f"/policy/{number_of(browser, 'vendor:cohere')}"
    page = browser.get(path)
    assert 'value="old"' in page.text
    moved = save(browser, path, subject="product:cohere/api", action="monitor", expires="2999-01-01T10:00",
                 schedule="mon-fri 08:00-17:00 @Europe/Berlin")  # fmt: skip
    assert moved.status_code == 303, moved.text
    found = {one["subject"]: one for one in browser.get("/api/v1/policy/statements?limit=500").json()["items"]}
    assert "vendor:cohere" not in found
    assert found["product:cohere/api"]["expires"] == "2999-01-01T10:00:00Z"
    page = browser.get(f"/policy/{found['product:cohere/api']['id']}")
    assert 'value="2999-01-01T10:00"' in page.text


def test_what_is_replaced_is_told_before(browser):
    save(browser, subject="ai21", action="monitor", reason="first")
    looked = browser.post("/policy/new", data=form(browser, subject="ai21", action="block"))
    assert "It takes the place of: monitor vendor:ai21 for all (first)" in looked.text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"subject": "mistrall"}, "subject: nothing is called &#39;mistrall&#39;; did you mean mistral"),
        ({"subject": ""}, "subject: "),
        ({"subject": "mistral", "action": "burn"}, "action: wanted"),
        ({"subject": "mistral", "expires": "soon"}, "expires: "),
        ({"subject": "mistral", "expires": "2001-01-01T00:00"}, "expires: "),
        ({"subject": "mistral", "schedule": "when it rains"}, "schedule: "),
        ({"subject": "mistral", "action": "allow", "basis": "law"}, "basis: "),
        ({"subject": "mistral", "group": "nobody"}, "there is no group &#39;nobody&#39;"),
        ({"subject": "mistral", "reason": "a\nb"}, "reason: "),
    ],
)
@pytest.mark.parametrize("do", ["look", "save"])
def test_bad_input_says_where_and_keeps_what_was_typed(site, browser, values, said, do):
    before = newest(site)
    sent = form(browser, do=do, ticket="kept-77", **({"action": "block"} | values))
    refused = browser.post("/policy/new", data=sent)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'value="kept-77"' in refused.text
    assert newest(site) == before


def test_find_and_pick_work_without_script(browser):
    found = browser.post("/policy/new", data=form(browser, do="find", subject="deepse", reason="kept"))
    assert 'name="pick" value="vendor:deepseek"' in found.text
    picked = browser.post("/policy/new", data=form(browser, pick="vendor:deepseek", subject="deepse", reason="kept"))
    assert 'value="vendor:deepseek"' in picked.text
    assert 'value="kept"' in picked.text
    nothing = browser.post("/policy/new", data=form(browser, do="find", subject="zzzzqq"))
    assert "Nothing is called so." in nothing.text
    told = browser.get("/policy/subjects", params={"text": "deepseek"}).json()
    assert told[0] == {"subject": "vendor:deepseek", "said": "DeepSeek"}


def test_second_of_two_editors_is_told(browser):
    mine, theirs = (form(browser, subject="xai", action=action, do="save") for action in ("block", "monitor"))
    assert browser.post("/policy/new", data=theirs).status_code == 303
    late = browser.post("/policy/new", data=mine)
    assert late.status_code == 412
    assert "somebody else changed it meanwhile" in late.text
    assert browser.post("/policy/new", data=mine | {"version": version(late)}).status_code == 303


def test_broken_expectation_takes_a_tick(site, browser):
    save(browser, subject="deepseek", action="block")
    expect(site, Expectation("chat.deepseek.com", Action.BLOCK, why="B-12"))
    try:
        values = {"subject": "deepseek", "action": "allow"}
        looked = browser.post("/policy/new", data=form(browser, **values))
        assert "chat.deepseek.com A for a client in no group: block (B-12)" in looked.text
        assert 'name="force"' in looked.text
        refused = save(browser, **values)
        assert refused.status_code == 409
        assert 'name="force"' in refused.text
        assert outcome(browser, "chat.deepseek.com") == "BLOCK"
        path = f"/policy/{number_of(browser, 'vendor:deepseek')}/remove"
        save(browser, subject="ai", action="monitor")
        sent = {"version": version(browser.get(path))}
        assert "It breaks an expectation" in browser.post(path, data=sent | {"do": "look"}).text
        assert browser.post(path, data=sent | {"do": "save"}).status_code == 409
        assert save(browser, **values, force="1").status_code == 303
        page = browser.get("/policy/expectations")
        assert "1 expectation does not hold." in page.text
        assert "found allow" in page.text
        assert "chat.deepseek.com" in browser.get("/policy/expectations?show=broken").text
    finally:
        expect(site)
    assert "Nothing is expected yet." in browser.get("/policy/expectations").text


def test_statement_is_removed(site, browser):
    save(browser, subject="perplexity", action="block")
    path = f"/policy/{number_of(browser, 'vendor:perplexity')}/remove"
    page = browser.get(path)
    sent = {"version": version(page)}
    assert "What this would do" in browser.post(path, data=sent | {"do": "look"}).text
    assert browser.get(path).status_code == 200, "a look, and a GET, remove nothing"
    assert browser.post(path, data=sent | {"do": "save"}).status_code == 303
    assert browser.get(path).status_code == 404
    assert newest(site).what == "policy remove vendor:perplexity for all"


def test_hostile_words_are_text(browser):
    save(browser, subject="domain:evil.example.org", action="block", reason=HOSTILE, owner="o" * 400)
    page = browser.get("/policy").text
    assert ESCAPED in page
    assert "<script>alert" not in page
    assert ESCAPED in browser.get(f"/policy/{number_of(browser, 'domain:evil.example.org')}").text


def test_list_is_filtered_and_paged(site, browser):
    with site.state() as state, state.store.transaction():
        for at in range(150):
            about = Subject(SubjectKind.DOMAIN, f"host{at}.many.example.org")
            state.policy.put(Statement(0, about, Action.MONITOR))
    page = browser.get("/policy?text=many.example.org&action=monitor")
    assert "150 of " in page.text
    following = re.search(r'rel="next" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    last = browser.get(following)
    assert last.text.count("many.example.org</span>") == 50
    assert "To the first page" in last.text
    assert "No statement fits." in browser.get("/policy?text=zzzzzz").text
    for wrong in ("action=burn", "limit=0", "other=1"):
        assert browser.get(f"/policy?{wrong}").status_code == 400


def test_policy_file_is_taken_away_planned_and_applied(site, browser):
    text = browser.get("/policy/policy.toml")
    assert text.headers["Content-Disposition"] == 'attachment; filename="policy.toml"'
    added = text.text + '\n[[statements]]\nsubject = "vendor:writer"\naction = "block"\nreason = "by file"\n'
    page = browser.get("/policy/file")
    looked = browser.post("/policy/file", data={"text": added, "do": "look", "version": version(page)})
    assert "+ statement on vendor:writer for all: action block, reason by file" in looked.text
    assert "1 change<" in looked.text
    done = browser.post("/policy/file", data={"text": added, "do": "save", "version": version(looked)})
    assert (done.status_code, done.headers["Location"]) == (303, "/policy")
    assert number_of(browser, "vendor:writer")
    other = {"text": added + "# and more", "do": "save", "version": version(looked)}
    again = browser.post("/policy/file", data=other)
    assert again.status_code == 412, "the policy moved on"
    same = browser.post("/policy/file", data={"text": added, "do": "look", "version": version(again)})
    assert "Nothing: the policy says that already." in same.text


def test_bad_policy_file_is_told_with_its_lines_and_kept(site, browser):
    before = newest(site)
    text = '[[statements]]\nsubject = "vendor:nope"\naction = "burn"\n# <kept>'
    page = browser.get("/policy/file")
    refused = browser.post("/policy/file", data={"text": text, "do": "save", "version": version(page)})
    assert refused.status_code == 422
    assert "line 2" in refused.text
    assert "line 3" in refused.text
    assert "# &lt;kept&gt;" in refused.text
    broken = '[[expectations]]\nname = "example.org"\nexpect = "block"\n'
    looked = browser.post("/policy/file", data={"text": broken, "do": "look", "version": version(page)})
    assert "that would not hold" in looked.text
    assert (
        browser.post("/policy/file", data={"text": broken, "do": "save", "version": version(page)}).status_code == 409
    )
    assert newest(site) == before


def test_reader_sees_policy_and_no_way_to_change_it(site):
    site.account("onlooker", "read")
    with site.browser("onlooker") as reader:
        for path in ("/policy", "/policy/expectations", "/policy/file"):
            page = reader.get(path)
            assert page.status_code == 200
            assert 'method="post"' not in page.text.replace('<form method="post" action="/logout">', "")
            assert "/policy/new" not in page.text
        assert reader.get("/policy/new").status_code == 403


def test_scope_is_not_gone_round(site):
    """A token for policy alone is told nothing that was recorded, and a file changes no more than it may."""
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    with site.client(site.token("manage:policy")) as program:
        program.headers.update(headers)
        looked = program.post("/policy/new", data=form(program, subject="openai", action="allow"))
        assert "that takes the right to report hits" in looked.text
        assert "attempt" not in looked.text
        text = program.get("/policy/policy.toml").text + '\n[[groups]]\nname = "mine"\nmembers = ["192.0.2.1"]\n'
        sent = {"text": text, "do": "save", "version": version(program.get("/policy/file"))}
        assert program.post("/policy/file", data=sent).status_code == 403
        assert program.get("/groups").status_code == 403
