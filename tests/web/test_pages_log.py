"""Discovery, the audit log, settings and who may use this side, on pages."""

import re
import time
from itertools import count

import pytest

from sinkhole.app.accounts import account_store, token_store
from sinkhole.config.out_schema import OutSettings
from sinkhole.policy.sighting import Sighting
from sinkhole.store.audit import entries
from sinkhole.store.out_store import OutStore
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.web.pages.audit import brief, differences
from sinkhole.web.pages.change import version_of
from tests.web.conftest import PASSWORD

SEQ = count(1)
EMPTY = {"Content-Type": "application/x-www-form-urlencoded"}
FORM = dict.fromkeys(("do", "belongs", "category", "reason"), "")


@pytest.fixture(scope="module")
def browser(site):
    site.account("keeper")
    with site.browser("keeper") as found:
        yield found


def version(page):
    return re.search(r'name="version" value="([0-9a-z]+)"', page.text)[1]


def newest(site, number=1):
    with site.state() as state, state.store.reading() as connection:
        return entries(connection, number)


def see(site, *domains, reasons=("its name has gpt",)):
    at = int(time.time())
    found = tuple(Sighting(one, reasons, 3, at - 9, at, (f"www.{one}",), True, ("192.0.2.7",)) for one in domains)
    with site.state() as state:
        assert Recorder(state.store, str).write(HitBatch("w", next(SEQ), (), 0, found))


def standing(browser, domain):
    return browser.get(f"/api/v1/discover/{domain}").json()


def test_queue_is_empty_filtered_and_paged(site, browser):
    assert "No name waits." in browser.get("/discover").text
    see(site, *(f"gpt{at}.page{at % 40}.example" for at in range(120)), reasons=("<b>sign</b>\u202e",))
    page = browser.get("/discover").text
    assert "Waiting 120" in page
    assert page.count('name="domain"') == 50
    assert "&lt;b&gt;sign&lt;/b&gt;\\u202e" in page
    following = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert browser.get(following).text.count('name="domain"') == 50
    assert browser.get("/discover?text=gpt77.").text.count('name="domain"') == 1
    assert "No name fits." in browser.get("/discover?text=zzz").text
    assert browser.get("/discover?limit=500").status_code == 400
    assert browser.get("/discover?state=lost").status_code == 400


def test_one_name_is_accepted_and_reopened(site, browser):
    see(site, "quill-gpt.example")
    page = browser.get("/discover/quill-gpt.example")
    sent = FORM | {"do": "accept", "belongs": "vendor:quill", "category": "chat", "version": version(page)}
    done = browser.post("/discover/quill-gpt.example", data=sent)
    assert done.status_code == 303, done.text
    assert standing(browser, "quill-gpt.example")["product"] == "quill/chat"
    assert browser.get("/api/v1/explain?name=www.quill-gpt.example").json()["verdict"]["vendor"] == "quill"
    entry = newest(site)[0]
    assert (entry.who, entry.origin) == ("admin keeper", "web from 127.0.0.1")
    late = browser.post("/discover/quill-gpt.example", data=sent | {"do": "ignore"})
    assert late.status_code == 412
    page = browser.get("/discover/quill-gpt.example")
    again = FORM | {"do": "reopen", "version": version(page)}
    assert browser.post("/discover/quill-gpt.example", data=again).status_code == 303
    assert standing(browser, "quill-gpt.example")["state"] == "new"


def test_many_are_decided_at_once_and_each_by_itself(site, browser):
    see(site, "one-gpt.example", "two-gpt.example")
    sent = FORM | {"do": "ignore", "reason": "a shop", "domain": ["one-gpt.example", "two-gpt.example", "none.example"]}
    done = browser.post("/discover", data=sent | {"state": "new"})
    assert done.status_code == 303, done.text
    told = browser.get("/discover").text
    assert "Ignored: 2 names." in told
    assert "Not done: there is no candidate &#39;none.example&#39;" in told
    assert standing(browser, "one-gpt.example")["note"] == "a shop"
    back = browser.post("/discover", data=FORM | {"do": "reopen", "domain": "one-gpt.example", "state": "ignored"})
    assert back.headers["Location"] == "/discover?state=ignored"
    assert standing(browser, "one-gpt.example")["state"] == "new"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"do": "accept"}, "tick those that are meant"),
        ({"do": "burn", "domain": "two-gpt.example"}, "do: wanted"),
        ({"do": "accept", "domain": "one-gpt.example", "category": "poems"}, "there is no category"),
        ({"do": "ignore", "domain": "none.example"}, "there is no candidate"),
    ],
)
def test_decision_that_cannot_be_keeps_what_was_typed(browser, values, said):
    refused = browser.post("/discover", data=FORM | {"reason": "kept-3", "state": "new"} | values)
    assert refused.status_code == 422
    assert said in refused.text
    assert 'value="kept-3"' in refused.text


def test_candidate_shows_its_evidence(site, browser):
    see(site, "shown-gpt.example")
    page = browser.get("/discover/shown-gpt.example").text
    for told in ("its name has gpt", "www.shown-gpt.example", "192.0.2.7"):
        assert told in page
    assert browser.get("/discover/none.example").status_code == 404


def test_audit_log_shows_before_and_after(site, browser):
    body = {"subject": "mistral", "action": "monitor", "reason": "old", "expires": "2999-01-01T00:00:00Z"}
    browser.post("/api/v1/policy/statements", json=body)
    browser.post("/api/v1/policy/statements", json=body | {"action": "block", "reason": "<i>new</i>"})
    page = browser.get("/audit").text
    assert "policy block vendor:mistral for all" in page
    assert "action: monitor → block, reason: old → &lt;i&gt;new&lt;/i&gt;" in page
    number = newest(site)[0].id
    entry = browser.get(f"/audit/{number}").text
    assert "<del>old</del>" in entry
    assert "<ins>&lt;i&gt;new&lt;/i&gt;</ins>" in entry
    assert "<del>monitor</del>" in entry
    assert "vendor:mistral" in entry.partition("Before and after")[2]
    assert browser.get("/audit/999999").status_code == 404


def test_audit_log_is_filtered_and_paged(browser):
    page = browser.get("/audit?limit=2").text
    assert page.count('<th scope="row">') == 2
    following = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert browser.get(following).text.count('<th scope="row">') == 2
    assert "No entry fits." in browser.get("/audit?since=2999-01-01").text
    assert "No entry fits." in browser.get("/audit?text=zzzzzz").text
    assert browser.get("/audit?since=yesterday").status_code == 400


def test_audit_values_are_told_in_words():
    (row,) = differences({"": 1}, {"": 2})
    assert (row.before, row.after) == ("1", "2")
    assert brief(None, {"id": 3, "reason": "why", "members": ["a", "b"]}) == "reason: why, members: a, b"
    assert brief({"ends": 1_800_000_000}, {"ends": None}) == "ends: 2027-01-15 08:00:00 UTC → none"
    assert brief(None, "a text") == ""
    assert brief({"enabled": True}, {"enabled": False}) == "enabled: yes → no"
    assert len(brief({"reason": "x" * 500}, {"reason": "y"})) == 160


def test_settings_are_shown_without_secrets(site, browser):
    hook = OutSettings(name="hook", kind="webhook", target="https://hooks.example.org/T0/secret-path", what=("alerts",))
    object.__setattr__(site.settings, "out", (hook,))
    try:
        for path in ("/settings", "/settings/outputs", "/api/v1/settings"):
            page = browser.get(path).text
            assert "hooks.example.org" in page, path
            assert "secret-path" not in page, path
        assert "not begun" in browser.get("/settings/outputs").text
        with site.state() as state:
            OutStore(state.store).begin("hook", "alerts")
            OutStore(state.store).note_failure("hook", "alerts", "it answers <500>")
        assert "it answers &lt;500&gt;" in browser.get("/settings/outputs").text
    finally:
        object.__setattr__(site.settings, "out", ())
    assert "Nothing leaves this server." in browser.get("/settings/outputs").text


def test_token_is_made_shown_once_and_revoked(site, browser):
    sent = {"name": "ci", "days": "30", "scope": ["read", "report"], "scopes": "manage:policy"}
    made = browser.post("/access/tokens", data=sent)
    assert made.status_code == 200, made.text
    secret = re.search(r"sinkhole_[A-Za-z0-9_-]{43}", made.text)[0]
    assert secret not in browser.get("/access").text
    with site.client(secret) as program:
        assert program.get("/api/v1/status").status_code == 200
    entry = newest(site)[0]
    assert (entry.what, entry.who) == ("admin token ci made", "admin keeper")
    assert browser.post("/access/tokens", data=sent).status_code == 422
    assert browser.post("/access/tokens/ci/revoke", content=b"", headers=EMPTY).status_code == 303
    with site.client(secret) as program:
        assert program.get("/api/v1/status").status_code == 401
    assert browser.post("/access/tokens/ci/revoke", content=b"", headers=EMPTY).status_code == 404


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "Not Good", "scope": "read"}, "name: "),
        ({"name": "x"}, "scopes: "),
        ({"name": "x", "scopes": "rule:all"}, "a scope begins with"),
        ({"name": "x", "scope": "read", "days": "9999"}, "days: "),
        ({"name": "x", "scope": "read", "days": "-1"}, "days: "),
    ],
)
def test_token_that_cannot_be(site, browser, values, said):
    refused = browser.post("/access/tokens", data={"days": "30", "scopes": ""} | values)
    assert refused.status_code == 422
    assert said in refused.text
    with site.state() as state:
        assert all(one.name != "x" for one in token_store(state).all())


def test_token_gives_nobody_access(site):
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    with site.client(site.token("manage")) as program:
        sent = {"name": "y", "days": "1", "scopes": "read"}
        assert program.post("/access/tokens", data=sent, headers=headers).status_code == 403
    with site.state() as state:
        assert all(one.name != "y" for one in token_store(state).all())


def test_account_is_logged_out(site, browser):
    site.account("leaver", "read")
    with site.browser("leaver") as gone:
        assert "leaver" in browser.get("/access").text
        assert browser.post("/access/accounts/leaver/logout", content=b"", headers=EMPTY).status_code == 303
        assert "leaver is logged out of 1 session." in browser.get("/access").text
        assert gone.get("/account").status_code == 303
    assert browser.post("/access/accounts/nobody/logout", content=b"", headers=EMPTY).status_code == 404


def role_form(browser, account):
    """Return what the form for the role of an account holds."""
    page = browser.get("/access").text
    form = re.search(rf'action="/access/accounts/{account}/role">.*?</form>', page, re.DOTALL)[0]
    return {"version": re.search(r'name="version" value="([0-9a-f]+)"', form)[1]}


def test_role_is_changed(site, browser):
    site.account("riser", "read")
    before = role_form(browser, "riser")
    with site.browser("riser") as riser:
        done = browser.post("/access/accounts/riser/role", data=before | {"role": "report"})
        assert (done.status_code, done.headers["Location"]) == (303, "/access")
        assert "riser has the role report now, and logs in anew." in browser.get("/access").text
        assert riser.get("/account").status_code == 303
    entry = newest(site)[0]
    assert (entry.what, entry.who) == ("admin account riser role", "admin keeper")
    stale = browser.post("/access/accounts/riser/role", data=before | {"role": "manage"})
    assert stale.status_code == 412
    assert "somebody else changed it meanwhile" in stale.text
    refused = browser.post("/access/accounts/riser/role", data=role_form(browser, "riser") | {"role": "owner"})
    assert refused.status_code == 422
    assert browser.post("/access/accounts/nobody/role", data=before | {"role": "read"}).status_code == 404
    with site.state() as state:
        assert account_store(state).get("riser").role == "report"


def test_account_is_removed(site, browser):
    site.account("goer", "read")
    with site.browser("goer") as goer:
        assert browser.post("/access/accounts/goer/remove", content=b"", headers=EMPTY).status_code == 303
        assert "The account goer was removed" in browser.get("/access").text
        assert goer.get("/account").status_code == 303
    assert newest(site)[0].who == "admin keeper"
    assert browser.post("/access/accounts/goer/remove", content=b"", headers=EMPTY).status_code == 404


def test_accounts_come_in_pages_and_are_looked_for(site, browser):
    for name in ("page-a", "page-b", "page-c"):
        site.account(name, "read")
    first = browser.get("/access", params={"limit": 1, "text": "page-"}).text
    assert "3 of " in first
    assert ("page-a" in first, "page-b" in first) == (True, False)
    later = browser.get("/access", params={"limit": 1, "text": "page-", "cursor": "page-b"}).text
    assert ("page-c" in later, "To the first page" in later, "Next page" in later) == (True, True, False)
    assert "No account fits" in browser.get("/access", params={"text": "nobody-here"}).text


def test_last_manager_stays(site, browser):
    assert "the only one that may manage" in browser.get("/access").text
    with site.state() as state:
        version = version_of(account_store(state).get("keeper").role)
    demoted = browser.post("/access/accounts/keeper/role", data={"role": "read", "version": version})
    removed = browser.post("/access/accounts/keeper/remove", content=b"", headers=EMPTY)
    for refused in (demoted, removed):
        assert refused.status_code == 409
        assert "no account would be left that may manage" in refused.text
    assert browser.get("/access").status_code == 200


def test_account_is_added_by_a_link_that_is_shown_once(site, browser):
    made = browser.post("/access/links", data={"role": "report"})
    assert made.status_code == 200
    secret = re.search(r"/setup/([A-Za-z0-9_-]+)</code>", made.text)[1]
    assert secret not in browser.get("/access").text
    with site.browser() as newcomer:
        sent = {"name": "newcomer", "password": PASSWORD, "again": PASSWORD}
        assert newcomer.post(f"/setup/{secret}", data=sent).status_code == 303
        assert newcomer.get("/clients").status_code == 200
        assert newcomer.get("/access").status_code == 403
        assert newcomer.get(f"/setup/{secret}").status_code == 404
    assert browser.post("/access/links", data={"role": "owner"}).status_code == 422


def test_token_makes_no_account_and_takes_no_role(site, browser):
    site.account("stayer", "read")
    headers = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    with site.client(site.token("manage")) as program:
        sent = role_form(browser, "stayer") | {"role": "manage"}
        assert program.post("/access/accounts/stayer/role", data=sent, headers=headers).status_code == 403
        assert program.post("/access/links", data={"role": "manage"}, headers=headers).status_code == 403
        gone = program.post("/access/accounts/stayer/remove", content=b"", headers=headers | EMPTY)
        assert gone.status_code == 403
    with site.state() as state:
        assert account_store(state).get("stayer").role == "read"


def test_chain_is_verified(site, browser):
    assert "The log is whole" in browser.get("/audit/chain").text
    number = newest(site, 3)[-1].id
    with site.state() as state, state.store.transaction() as connection:
        triggers = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        for trigger in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.exec_driver_sql("UPDATE audit SET who = 'nobody' WHERE id = ?", (number,))
    assert f'<a href="/audit/{number}">' in browser.get("/audit/chain").text
