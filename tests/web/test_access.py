"""Sessions, log-in, second factor, links and tokens: what an attacker would try."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.app.accounts import change_password, create_link, remove_account, token_store, turn_totp_on
from sinkhole.app.totp import STEP, hotp, new_totp_secret
from sinkhole.log import configure
from sinkhole.store.session_store import SessionStore
from sinkhole.web.attempts import Attempts, key_of_address
from tests.web.conftest import HASHES, PASSWORD

ME = "/api/v1/session"


def code_of(secret, ahead=0):
    return hotp(secret, int(datetime.now(UTC).timestamp()) // STEP + ahead)


def log_in(client, name, password=PASSWORD, code=""):
    return client.post(ME, json={"name": name, "password": password, "code": code})


def cookie(response):
    return response.headers["Set-Cookie"]


@pytest.fixture(autouse=True)
def _no_failures(site):
    """Let no test be limited by what another did."""
    site.context.login._of_account._failed.clear()
    site.context.login._of_address._failed.clear()


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    """ASVS 3.4.1 to 3.4.5."""
    site.account("cookie")
    with site.browser() as browser:
        said = cookie(log_in(browser, "cookie"))
        assert re.fullmatch(r"sinkhole=[\w-]{43}; HttpOnly; Path=/; SameSite=Strict", said)
        behind_tls = {"X-Forwarded-Proto": "https"}
        assert "__Host-" not in cookie(
            browser.post(ME, json={"name": "cookie", "password": PASSWORD}, headers=behind_tls)
        )


def test_log_in_gives_a_new_session_and_ends_the_old(site):
    """ASVS 3.2.1, session fixation: what the browser brought is never taken, and what it had ends."""
    site.account("fixed")
    with site.browser() as browser:
        browser.cookies.set("sinkhole", "A" * 43)
        first = cookie(log_in(browser, "fixed")).split(";")[0]
        assert "A" * 43 not in first
        second = cookie(log_in(browser, "fixed")).split(";")[0]
        assert first != second
        with site.client() as old:
            assert old.get(ME, headers={"Cookie": first}).status_code == 401
            assert old.get(ME, headers={"Cookie": second}).status_code == 200


def test_session_ends_by_itself(site):
    """ASVS 3.3.2: unused for idle_minutes, and after session_hours whatever is done."""
    site.account("sleepy")
    with site.state() as state:
        sessions, now = SessionStore(state.store), datetime.now(UTC)
        secret = sessions.begin("sleepy", "127.0.0.1", now, 3600)
        assert sessions.find(secret, now + timedelta(seconds=599), 600) is not None
        assert sessions.find(secret, now + timedelta(seconds=600), 600) is None
        found = sessions.find(secret, now, 600)
        sessions.touch(found.digest, now + timedelta(seconds=3599))
        assert sessions.find(secret, now + timedelta(seconds=3599), 600) is not None
        assert sessions.find(secret, now + timedelta(seconds=3600), 600) is None


def test_sessions_of_one_account_are_bounded(site):
    site.account("many")
    with site.state() as state:
        sessions, now = SessionStore(state.store), datetime.now(UTC)
        secrets = [sessions.begin("many", "127.0.0.1", now + timedelta(seconds=at), 3600) for at in range(25)]
        assert len(sessions.of("many", now, 600)) == 20
        assert sessions.find(secrets[0], now, 600) is None
        assert sessions.find(secrets[-1], now, 600) is not None


def test_log_out_here_and_everywhere(site):
    """ASVS 3.3.1, 3.3.4."""
    site.account("leaver")
    one, two, three = (site.browser("leaver") for _ in range(3))
    with one, two, three:
        assert len(one.get(ME).json()["sessions"]) == 3
        held = one.cookies.get("sinkhole")
        assert one.request("DELETE", ME).json() == {"ended": 1}
        with site.client() as thief:
            assert thief.get(ME, headers={"Cookie": f"sinkhole={held}"}).status_code == 401
        assert two.request("DELETE", "/api/v1/sessions").json() == {"ended": 2}
        assert three.get(ME).status_code == 401


@pytest.mark.parametrize("change", [
    lambda state: change_password(state, "changing", PASSWORD + "!", HASHES),
    lambda state: remove_account(state, "changing"),
])  # fmt: skip
def test_sessions_end_with_what_they_rest_on(site, change):
    """ASVS 3.3.3: another password, or no account any more."""
    site.account("changing")
    with site.browser("changing") as browser:
        assert browser.get(ME).status_code == 200
        with site.state() as state:
            change(state)
        assert browser.get(ME).status_code == 401
    with site.state() as state:
        if "changing" in [row.name for row in account_rows(state)]:
            remove_account(state, "changing")


def account_rows(state):
    from sinkhole.app.accounts import account_store

    return account_store(state).all()


def test_what_was_wrong_is_not_told(site):
    """ASVS 2.2.1 and 3.7: one answer for no such account, another password, and another code."""
    site.account("known")
    with site.browser() as browser:
        said = [log_in(browser, *given).json() for given in (("unknown",), ("known", "wrong password 1"))]
    assert said[0] == said[1]
    assert said[0]["status"] == 401


def test_guesses_of_one_account_are_bounded(site):
    """ASVS 2.2.1: after ten failures not even the right password is tried, from wherever."""
    site.account("guessed")
    with site.browser() as browser:
        for _ in range(10):
            assert log_in(browser, "guessed", "wrong password 1").status_code == 401
        limited = log_in(browser, "guessed")
        assert limited.status_code == 429
        assert 0 < int(limited.headers["Retry-After"]) <= 900
        assert "try again in 15 minutes" in limited.text


def test_guesses_from_one_address_are_bounded(site):
    with site.browser() as browser:
        codes = [log_in(browser, f"name{number}", "wrong password 1").status_code for number in range(21)]
    assert codes == [401] * 20 + [429]


def test_attempts_are_counted_by_key_and_forgotten_in_time():
    now = [0.0]
    attempts = Attempts(2, 60.0, lambda: now[0])
    attempts.note_failure("a")
    assert attempts.wait("a") == 0
    attempts.note_failure("a")
    assert (attempts.wait("a"), attempts.wait("b")) == (60, 0)
    now[0] = 60.0
    assert attempts.wait("a") == 0
    assert key_of_address("2001:db8::1") == key_of_address("2001:db8::2") == "2001:db8::/64"
    assert key_of_address("::ffff:192.0.2.1") == "192.0.2.1"


def test_second_factor_takes_a_code_once(site):
    """ASVS 2.8: RFC 6238, section 5.2: no code counts twice."""
    site.account("factor")
    secret = new_totp_secret()
    with site.state() as state:
        proof = code_of(secret)
        codes = turn_totp_on(state, "factor", secret, proof)
    with site.browser() as browser:
        assert log_in(browser, "factor").status_code == 401
        assert log_in(browser, "factor", code="000000").status_code == 401
        assert log_in(browser, "factor", code=proof).status_code == 401, "the code that proved it is used up"
        coming = code_of(secret, 1)
        assert log_in(browser, "factor", code=coming).status_code == 204
        assert log_in(browser, "factor", code=coming).status_code == 401
        assert log_in(browser, "factor", code=code_of(secret, 3)).status_code == 401, "too far ahead"
        assert log_in(browser, "factor", code=codes[0].upper().replace("-", " ")).status_code == 204
        assert log_in(browser, "factor", code=codes[0]).status_code == 401
        assert log_in(browser, "factor", code=codes[1]).status_code == 204
    with site.state() as state, state.store.reading() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM admin_recovery").fetchall())
    assert not any(code in stored for code in codes)


def test_link_makes_one_account(site):
    with site.state() as state:
        path = create_link(state, "report").removeprefix("http://127.0.0.1:8053")
    form = {"name": "linked", "password": PASSWORD, "again": PASSWORD}
    with site.browser() as browser:
        assert "role <strong>report</strong>" in browser.get(path).text
        assert browser.get(path).status_code == 200, "looking does not use it up"
        assert browser.post(path, data=form | {"again": "x"}).status_code == 422
        assert browser.post(path, data=form | {"password": "short", "again": "short"}).status_code == 422
        done = browser.post(path, data=form)
        assert (done.status_code, done.headers["Location"]) == (303, "/")
        assert browser.get(ME).json()["scopes"] == ["report"]
        used = browser.get(path)
        assert (used.status_code, "This link is no longer good" in used.text) == (404, True)
        assert browser.post(path, data=form | {"name": "again"}).status_code == 404


def test_link_ends_and_is_replaced(site):
    from sinkhole.store.link_store import LIFE, LinkStore

    with site.state() as state:
        links, now = LinkStore(state.store), datetime.now(UTC)
        first = links.create("manage", "x", now)
        second = links.create("manage", "x", now)
        assert links.find(first, now) is None
        assert links.find(second, now + timedelta(seconds=LIFE - 1)) is not None
        assert links.find(second, now + timedelta(seconds=LIFE)) is None


def test_secrets_are_stored_by_digest_alone(site):
    """ASVS 2.4.1, 2.10: whoever reads the store cannot log in."""
    site.account("reader")
    token = site.token("read")
    with site.browser("reader") as browser, site.state() as state, state.store.reading() as connection:
        tables = ("admin_account", "admin_session", "admin_token", "admin_link", "audit")
        stored = "".join(str(connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()) for table in tables)
        assert token not in stored
        assert browser.cookies["sinkhole"] not in stored
        assert PASSWORD not in stored
        assert "$argon2id$" in stored


def test_token_ends_and_is_revoked(site):
    with site.state() as state:
        now = datetime.now(UTC)
        over = token_store(state).create("over", ("read",), now - timedelta(seconds=1), now)
        gone = token_store(state).create("gone", ("read",), now + timedelta(days=1), now)
    with site.client(over) as client:
        assert client.get(ME).status_code == 401
    with site.client(gone) as client:
        assert client.get(ME).json()["name"] == "gone"
        assert client.request("DELETE", ME).status_code == 422
        with site.state() as state:
            assert token_store(state).all()
            token_store(state).revoke("gone")
        assert client.get(ME).status_code == 401


def test_pages_log_in_and_out(site):
    site.account("pager")
    form = {"name": "pager", "password": PASSWORD, "code": "", "next": "/account"}
    with site.browser() as browser:
        assert browser.get("/account").headers["Location"] == "/login?next=/account"
        wrong = browser.post("/login", data=form | {"password": "<script>alert(1)</script>", "name": "<b>"})
        assert wrong.status_code == 401
        assert "<b>" not in wrong.text
        assert "&lt;b&gt;" in wrong.text
        done = browser.post("/login", data=form)
        assert (done.status_code, done.headers["Location"]) == (303, "/account")
        assert "(here)" in browser.get("/account").text
        assert "generation 1" in browser.get("/").text
        assert browser.get("/login").status_code == 303
        assert browser.post("/logout", data={"everywhere": "1"}).headers["Location"] == "/login"
        assert browser.get("/account").status_code == 303


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: 1", "x"])
def test_log_in_leads_to_no_other_site(site, elsewhere):
    """ASVS 5.1.5: open redirects."""
    name = f"next{abs(hash(elsewhere)) % 10_000}"
    site.account(name)
    with site.browser() as browser:
        form = {"name": name, "password": PASSWORD, "code": "", "next": elsewhere}
        assert browser.post("/login", data=form).headers["Location"] == "/"


def test_log_escapes_what_somebody_logs_in_as(site, capsys):
    """CWE-117: a name cannot forge a line."""
    configure("info")
    with site.browser() as browser:
        log_in(browser, "x\nadmin.logged_in account=root \x1b[2J", "wrong password 1")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "admin.login_failed" in line]
    assert r"\nadmin.logged_in" in line
    assert "\x1b" not in line
