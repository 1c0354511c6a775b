"""What every request passes: hosts, other sites, sizes, paths, headers."""

import http.client
import socket
from contextlib import ExitStack

import httpx
import pytest

from sinkhole.config.schema import AdminSettings
from sinkhole.policy.statement import Group
from sinkhole.web.in_hand import MOST, MOST_OF_CLIENT, InHand
from sinkhole.web.problem import RequestError
from sinkhole.web.serve_api import MOST_OCTETS
from tests.store.disk import limited_files

ADMIN = AdminSettings(hosts=("sinkhole.example.org",), trusted_proxies=("127.0.0.2/32",))
STATUS = "/api/v1/status"
ADD = "/api/v1/policy/statements"
BODY = {"subject": "domain:example.org", "action": "monitor"}


@pytest.fixture(scope="module")
def browser(site):
    site.account("guarded")
    with site.browser("guarded") as found:
        yield found


@pytest.fixture(scope="module")
def program(site):
    with site.client(site.token("manage")) as found:
        yield found


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8053", "127.0.0.1.evil.example", "localhost.evil", "", "127.0.0.1@evil", "[::1]evil",
     "[::1", "127.0.0.1:evil"],
)  # fmt: skip
def test_other_hosts_are_refused(program, host):
    """DNS rebinding: a page whose name was made to lead here has that name as its host."""
    refused = program.get(STATUS, headers={"Host": host})
    assert refused.status_code == 421
    assert "evil" not in refused.text


@pytest.mark.parametrize("host", ["localhost:8053", "127.0.0.1", "[::1]:8053", "SINKHOLE.example.org.", "192.0.2.1:80"])
def test_own_hosts_are_served(program, host):
    assert program.get(STATUS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "told",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_other_sites_change_nothing(browser, told):
    """ASVS 4.2.2, CSRF: by what browsers say of a request; a cookie alone is not enough."""
    refused = browser.post(ADD, json=BODY, headers=told)
    assert refused.status_code == 403
    assert browser.post("/logout", data={}, headers=told).status_code == 403
    assert browser.get(STATUS, headers=told).status_code == 200


def test_browser_that_does_not_say_where_it_comes_from_changes_nothing(site, browser):
    with site.client() as silent:
        silent.cookies.set("sinkhole", browser.cookies["sinkhole"])
        assert silent.post(ADD, json=BODY).status_code == 403
        assert silent.post("/login", data={"name": "x"}).status_code == 403
        assert silent.get(STATUS).status_code == 200


def test_program_with_a_token_need_not_say_it(program):
    assert program.post(ADD, json=BODY).status_code == 201


def test_form_cannot_be_a_body(browser):
    """A form of another site sends these types without asking; the API takes JSON alone."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused = browser.post(ADD, content=b'{"subject":"ai","action":"allow"}', headers={"Content-Type": kind})
        assert refused.status_code == 415


@pytest.mark.parametrize("path", [STATUS, "/", "/login", "/static/style.css", "/api/v1/none", "/none", "/static/none"])
def test_every_answer_has_the_headers(browser, path):
    """ASVS 14.4."""
    answer = browser.get(path)
    csp = answer.headers["Content-Security-Policy"]
    assert csp.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Server"] == "sinkhole"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cache-Control"]


def test_pages_have_no_script_or_style_of_their_own(browser):
    for path in ("/", "/login", "/account", "/none"):
        page = browser.get(path, follow_redirects=True).text
        assert "<script" not in page
        assert "style=" not in page
        assert " on" not in page.replace(" one", "").split("<main")[0].lower() or "onclick" not in page


def test_too_large_is_refused(browser):
    big = {"subject": "x" * MOST_OCTETS, "action": "block"}
    assert browser.post(ADD, json=big).status_code == 413
    assert browser.post("/login", data={"name": "x" * MOST_OCTETS}).status_code == 413
    assert browser.get("/api/v1/hits", params={"cursor": "9" * 7000}).status_code == 400


def test_who_may_look_still_may_where_the_disk_is_full(site):
    """That a token is used cannot be noted then."""
    reader, keeper = site.token("read"), site.token("manage")
    with site.state() as state, site.client(reader) as looking, site.client(keeper) as changing:
        state.policy.put_group(Group("kept-open", ()))  # the journal and its index are there, as beside a server
        with limited_files(1):
            told = looking.get(STATUS)
            refused = changing.post(ADD, json={"subject": "domain:full.example", "action": "block"})
        assert changing.get(STATUS).status_code == 200
    assert told.status_code == 200
    assert (refused.status_code, refused.json()["title"]) == (503, "Not now")


@pytest.mark.parametrize(
    ("kind", "more", "status"),
    [
        ("application/x-www-form-urlencoded; charset=nonsense", {}, 400),
        ("application/x-www-form-urlencoded", {"Content-Encoding": "gzip"}, 415),
        ("application/x-www-form-urlencoded", {"Content-Encoding": "nonsense"}, 415),
        ("application/json", {"Content-Encoding": "gzip"}, 415), ("text/plain", {}, 415),
    ],
)  # fmt: skip
def test_body_that_cannot_be_read_is_refused(browser, kind, more, status):
    path = ADD if "json" in kind else "/groups/new"
    answer = browser.post(path, content=b"name=a", headers={"Content-Type": kind} | more)
    assert answer.status_code == status
    assert (answer.headers.get("Connection") == "close") == (status == 415), (
        "a body that nobody reads ends the connection"
    )


@pytest.mark.parametrize(
    "path",
    [
        "/static/../templates/base.html", "/static/..%2ftemplates%2fbase.html", "/static/%2e%2e/guard.py",
        "/static//etc/passwd", "/static/style.css%00.html", "/static/..", "/api/v1/vendors/..%2f..%2fetc%2fpasswd",
        "/api/v1/feeds/..%2f..%2fstore.db", "/setup/..%2f..%2flogin", "/static/%c0%ae%c0%ae/guard.py",
    ],
)  # fmt: skip
def test_no_path_leads_out(site, browser, path):
    """ASVS 12.3: path traversal; sent as it stands, not as a client would tidy it."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=10)
    connection.putrequest("GET", path, skip_host=False)
    connection.putheader("Cookie", f"sinkhole={browser.cookies['sinkhole']}")
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status in (400, 404)
    assert "root:" not in text
    is_page = "<!doctype html>\n<html" in text
    assert not is_page or any(said in text for said in ("Not found", "Not understood", "no longer good"))


def test_nonsense_is_answered_by_a_problem(site):
    """Not HTTP, half a request, a method that is none: 4xx or a closed connection, and the site goes on."""
    host, port = site.url.removeprefix("http://").split(":")
    for said in (
        b"\x16\x03\x01\x00\xa5\x01",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET\r\n\r\n",
        b"A" * 20_000,
    ):
        with socket.create_connection((host, int(port)), timeout=5) as sock:
            sock.sendall(said)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while part := sock.recv(4096):
                    answer += part
            except ConnectionResetError:
                pass
        assert answer == b"" or b" 4" in answer.split(b"\r\n")[0]
    with site.client() as client:
        assert client.get("/login").status_code == 200


def test_what_a_client_sends_is_not_in_the_headers_it_gets(browser):
    answer = browser.get("/none-such-page-here?x=%0d%0aSet-Cookie:a=b")
    assert answer.status_code == 404
    assert "a=b" not in str(answer.headers)


def test_hostile_names_are_text_on_pages():
    """ASVS 5.3.3, XSS: everything that a template shows is escaped; direction marks and controls are seen."""
    from sinkhole.web.pages.render import make_environment

    template = make_environment().from_string('<p title="{{ name }}">{{ name }}</p>')
    shown = template.render(name='"><script>alert(1)</script>\u202e\x1b[2J\x00')
    assert shown.count("<") == 2
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    assert "\\x1b" in shown


def test_hostile_names_are_text_in_json(program):
    answer = program.get("/api/v1/vendors/%3Cscript%3E")
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = program.get("/api/v1/explain", params={"name": "<script>.example", "client": "192.0.2.1"})
    assert told.headers["Content-Type"].startswith(("application/json", "application/problem+json"))


def test_method_that_is_not_there(program):
    answer = program.put("/api/v1/status")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.json()["title"] == "Method not allowed"


def test_client_behind_a_proxy_has_its_share_of_requests(site):
    """All come over the connections of the proxy, so what is under way is counted by who the proxy says it is for."""
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    with ExitStack() as stack, httpx.Client(base_url=site.url, transport=transport) as proxy:
        for _ in range(MOST_OF_CLIENT):
            stack.enter_context(site.context.in_hand.one_of("203.0.113.9"))
        refused = proxy.get("/login", headers={"X-Forwarded-For": "203.0.113.9"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert proxy.get("/login", headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 200
    with httpx.Client(base_url=site.url, transport=httpx.HTTPTransport(local_address="127.0.0.2")) as proxy:
        assert proxy.get("/login", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200


def test_loopback_is_many_and_not_all():
    in_hand = InHand()
    with ExitStack() as stack:
        for _ in range(MOST - MOST // 8):
            stack.enter_context(in_hand.one_of("127.0.0.1"))
        with pytest.raises(RequestError):
            stack.enter_context(in_hand.one_of("127.0.0.1"))
        with in_hand.one_of("192.0.2.1"), in_hand.one_of("no address"):
            pass


def test_figures_take_the_right_to_report_and_health_takes_none(site):
    """As `[metrics]` serves them, on the address that has TLS and tokens already."""
    with site.client() as nobody, site.client(site.token("report:status")) as program, site.client("forged") as forger:
        refused = nobody.get("/metrics", follow_redirects=False)
        assert (refused.status_code, "Bearer" in refused.headers["WWW-Authenticate"]) == (401, True)
        assert forger.get("/metrics", follow_redirects=False).status_code == 401
        told = program.get("/metrics")
        assert told.headers["Content-Type"].startswith("application/openmetrics-text")
        assert "sinkhole_dropped_queries_total" in told.text, "of the store"
        assert (nobody.get("/healthz").status_code, nobody.get("/healthz").text) == (200, "alive\n")
        assert (nobody.get("/readyz").status_code, nobody.get("/readyz").text) == (
            503,
            "no worker has a policy in force\n",
        )


def test_page_that_is_not_there_has_the_navigation_of_who_is_logged_in(site):
    with site.browser(site.account("lost", "read")) as lost, site.browser() as nobody:
        mine, theirs = lost.get("/no/such/page"), nobody.get("/no/such/page")
    assert (mine.status_code, theirs.status_code) == (404, 404)
    assert '<nav id="menu"' in mine.text
    assert '<nav id="menu"' not in theirs.text
    for page in (mine, theirs):
        assert "there is nothing at this address" in page.text


def test_form_of_a_session_that_ended_says_what_to_do(site):
    with site.browser(site.account("late", "manage")) as late:
        late.cookies.clear()
        refused = late.post("/groups/new", data={"name": "staff", "members": "192.0.2.0/24"})
    assert refused.status_code == 401
    assert "your session has ended, and nothing was changed" in refused.text
    assert 'href="/login"' in refused.text


def test_form_is_refused_in_words_and_not_in_patterns(site):
    with site.browser(site.account("typist", "manage")) as typist:
        refused = typist.post("/groups/new", data={"name": "\u202eNo", "members": "192.0.2.0/24"})
        missing = typist.post("/groups/new", data={"name": "", "members": "192.0.2.0/24"})
        token = typist.post("/access/tokens", data={"name": "No", "days": "30", "scopes": "read"})
    for page in (refused, token):
        assert page.status_code == 422
        assert "name: wanted up to 63 lower-case letters" in page.text
        assert "pattern" not in page.text
    assert "name: this is needed" in missing.text
