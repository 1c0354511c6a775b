"""OWASP ASVS 4.0.3, level 1: what holds for every route of the tables alike, tried on each of them.

docs/security.md lists all requirements with their tests; those of one part are beside the other tests of that part.
"""

import re
import socket
import time
from html.parser import HTMLParser
from urllib.parse import quote

import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer

from sinkhole.app.group_changes import Answering, add_to_group
from sinkhole.config.schema import AdminSettings
from sinkhole.policy.hit import HitRow
from sinkhole.policy.statement import Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.verdict import Action
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.web.api.table import ROUTES
from sinkhole.web.guard import HEADERS
from sinkhole.web.openapi import PREFIX
from sinkhole.web.pages.table import PAGES
from sinkhole.web.route import ANYONE, Kind
from sinkhole.web.site import make_site
from tests.web.conftest import HASHES, PASSWORD
from tests.web.test_rights import EVERY, IDS, LIVE, filled

ADMIN = AdminSettings(trusted_proxies=("127.0.0.2/32",))
STATUS = f"{PREFIX}/status"
CHANGING = [(path, route) for path, route in EVERY if route.method != "GET"]
CHANGING_IDS = [f"{route.method} {path}" for path, route in CHANGING]
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}"
"""What would be markup, an attribute, an expression of a template."""


@pytest.fixture(scope="module")
def browser(site):
    site.account("walker")
    with site.browser("walker") as found:
        yield found


def sent(client, method, path, **options):
    """Return the answer to a request, of which only the head is read where it goes on."""
    with client.stream(method, filled(path), follow_redirects=False, **options) as answer:
        if path not in LIVE:
            answer.read()
        return answer


class _Markup(HTMLParser):
    """Collects what a page of ours never has: scripts in it, handlers, images, addresses that are scripts."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ("img", "iframe", "object", "embed", "base") or (tag == "script" and not given.get("src")):
            self.found.append(tag)
        self.found += [name for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        for name in ("href", "src", "action", "formaction"):
            if given.get(name) is not None and not re.match(r"$|[/?#]|https?://", given[name]):
                self.found.append(f"{name}={given[name]}")


def markup_of(text):
    parser = _Markup()
    parser.feed(text)
    return parser.found


@pytest.mark.parametrize(("path", "route"), CHANGING, ids=CHANGING_IDS)
def test_no_route_is_another_sites_to_use(browser, path, route):
    """ASVS 4.2.2, CSRF: with the cookie of somebody who may do everything, on each route that changes something."""
    for told in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = sent(browser, route.method, path, headers=told, json={})
        assert answer.status_code == 403, told
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("path", "route"), EVERY, ids=IDS)
def test_every_answer_is_guarded(browser, path, route):
    """ASVS 14.4: good or not, each answer has the headers, and none invites other origins or is kept by a proxy."""
    if path in ("/logout", f"{PREFIX}/session", f"{PREFIX}/sessions") and route.method != "GET":
        return  # these end the session; their answers go the same way
    answer = sent(browser, route.method, path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert answer.headers["Cache-Control"] in ("no-store", "private, no-cache", "no-cache")
    assert answer.status_code != 500


@pytest.mark.parametrize(("path", "route"), EVERY, ids=IDS)
def test_method_is_the_one_that_was_sent(browser, path, route):
    """ASVS 13.2.1: a header or parameter makes no other method of it, and there is no TRACE, OPTIONS or HEAD."""
    known = {one.method for other, one in EVERY if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(other)), path)}
    for method in {"TRACE", "OPTIONS", "HEAD", "PATCH", "PUT", "DELETE"} - known:
        assert sent(browser, method, path, headers={"X-HTTP-Method-Override": route.method}).status_code == 405
    if route.method == "GET" and path.startswith(PREFIX) and "DELETE" in known:
        sent(browser, "GET", path, headers={"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"})
        answer = sent(browser, "GET", path, params={"_method": "DELETE"})
        assert answer.status_code in (400, 404)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda one: one.name)
def test_body_takes_what_it_names_and_nothing_else(site, browser, route):
    """ASVS 5.1.2, mass assignment: a field that is not asked for is a mistake, on each route."""
    if route.right is ANYONE:
        browser = site.browser()
    answer = browser.request(route.method, PREFIX + filled(route.path), json={"is_admin": True, "id": 1})
    assert answer.status_code == 400
    said = {one["where"]: one["said"] for one in answer.json()["errors"]}
    assert said["body.is_admin"] == "Extra inputs are not permitted"


def test_secret_in_a_url_is_nobody(site, browser):
    """ASVS 3.1.1, 13.1.3: a session or token is taken from the cookie or the header alone."""
    token = site.token("manage")
    with site.client() as nobody:
        for params in ({"token": token}, {"access_token": token}, {"sinkhole": browser.cookies["sinkhole"]}):
            assert nobody.get(STATUS, params=params).status_code == 401
        assert nobody.get(STATUS, headers={"Authorization": f"Basic {token}"}).status_code == 401
        assert nobody.get(STATUS, headers={"X-Api-Key": token}).status_code == 401


def test_session_that_somebody_chose_is_not_taken(site):
    """ASVS 3.2.1, session fixation: the cookie that a browser came with is none after the log-in."""
    chosen = "A" * 43
    with site.client() as victim:
        victim.headers.update({"Origin": site.url, "Sec-Fetch-Site": "same-origin"})
        site.account("victim")
        answer = victim.post(
            f"{PREFIX}/session", json={"name": "victim", "password": PASSWORD}, headers={"Cookie": f"sinkhole={chosen}"}
        )
        assert answer.status_code == 204
        assert victim.cookies["sinkhole"] != chosen
        with site.client() as attacker:
            assert attacker.get(STATUS, headers={"Cookie": f"sinkhole={chosen}"}).status_code == 401


def test_guesses_are_counted_by_where_they_really_come_from(site):
    """ASVS 2.2.1, brute force: who is no proxy cannot be somebody else at each guess."""
    guess = {"password": "not the password"}
    with site.browser() as guesser:
        found = [
            guesser.post(
                f"{PREFIX}/session", json=guess | {"name": f"nobody{number}"},
                headers={"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"},
            ).status_code
            for number in range(21)
        ]  # fmt: skip
    assert found == [401] * 20 + [429]
    with site.client() as other:  # the session of somebody else goes on
        other.headers["Authorization"] = f"Bearer {site.token('read')}"
        assert other.get(STATUS).status_code == 200


def test_host_is_the_one_that_was_asked(site):
    """ASVS 14.5.3: what says another host beside the header `Host` is not listened to."""
    with site.client(site.token("read")) as program:
        for name in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"):
            answer = program.get(STATUS, headers={name: "evil.example"})
            assert answer.status_code == 200
            assert "evil.example" not in answer.text + str(answer.headers)
    with site.client() as nobody:
        answer = nobody.get("/", headers={"X-Forwarded-Host": "evil.example"}, follow_redirects=False)
        assert answer.headers["Location"] == "/login"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nabcde",
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
    ],
)
def test_request_that_two_could_read_differently_is_refused(site, head):
    """Smuggling behind a proxy (RFC 9112, sections 6.3 and 11.2): whose end is not clear is no request."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as sock:
        sock.sendall(head)
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    first, _, rest = answer.partition(b"\r\n")
    assert re.fullmatch(rb"HTTP/1\.[01] 400 Bad Request", first)
    assert b"Server: sinkhole\r\n" in rest, "no names or versions of what reads it (14.3.3)"
    assert rest.endswith(b"\r\n\r\n"), "nothing of what was sent comes back, and there is one answer"


def test_hostile_words_are_text_wherever_they_are_shown(site, browser):
    """ASVS 5.3.3 and 5.2.5, XSS and templates: names that were queried, and what people wrote, on each page."""
    with site.state() as state:
        at = int(time.time()) - 60
        name = "x\\060script\\062alert\\0401\\041.example.org"
        row = HitRow(at // 60, HOSTILE, HOSTILE, name, 1, "block", HOSTILE, HOSTILE, HOSTILE, HOSTILE, 3, at, at)
        assert Recorder(state.store, str).write(HitBatch("worker-9", 1, (row,), 0, ()))
        state.policy.put(Statement(0, Subject.from_text("vendor:cohere"), Action.BLOCK, reason=HOSTILE, owner=HOSTILE))
        add_to_group(state, "lab", ["192.0.2.0/24"], None, Answering(None, None, None), force=True)
    for page in PAGES:
        for path in {filled(page.path), re.sub(r"\{\w+\}", quote(HOSTILE, safe=""), page.path)}:
            if page.method != "GET":
                continue
            answer = browser.get(path, follow_redirects=False)
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                assert markup_of(answer.text) == [], path
                assert "49" not in "".join(re.findall(r"alert\(2\)\S{0,20}", answer.text)), "7 times 7"
    for route in ROUTES:
        if route.method == "GET" and route.kind is Kind.READ and route.name != "doctor":
            answer = sent(browser, "GET", PREFIX + route.path)
            assert answer.headers["Content-Type"].startswith(("application/json", "application/problem+json"))
    assert HOSTILE in browser.get(f"{PREFIX}/hits").json()["items"][0]["client"]


async def test_fault_tells_nothing_inner(site, capsys):
    """ASVS 7.4.1: whatever goes wrong within, what is sent says that, and no more; the log has the rest."""

    async def boom(_request):
        raise RuntimeError("/var/lib/secret: SELECT * FROM account")

    app = make_site(site.context)
    for path in ("/boom", f"{PREFIX}/boom"):
        app.router.add_get(path, boom)
    async with TestClient(TestServer(app)) as client:
        for path in ("/boom", f"{PREFIX}/boom"):
            answer = await client.get(path)
            text = await answer.text()
            assert answer.status == 500
            assert "this went wrong" in text
            for inner in ("secret", "SELECT", "RuntimeError", "Traceback", ".py", "aiohttp"):
                assert inner not in text + str(answer.headers), inner


def test_folders_are_not_listed(browser):
    """ASVS 4.3.2; and files that people keep beside a site are none of it (14.3)."""
    for path in ("/static/", "/static", "/templates/", "/.git/config", "/robots.txt", "/api/", "/api/v1", "/api/v1/"):
        assert browser.get(path, follow_redirects=False).status_code == 404, path


def test_cookie_over_tls_is_for_this_host_alone(site):
    """ASVS 3.4.1 to 3.4.5, as a trusted proxy says that TLS was used."""
    site.account("secure")
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=site.url, transport=transport, headers=headers) as proxy:
        answer = proxy.post(f"{PREFIX}/session", json={"name": "secure", "password": PASSWORD})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sinkhole=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "path=/", "secure", "httponly", "samesite=strict",
    }  # fmt: skip
    assert answer.headers["Strict-Transport-Security"]


def test_long_passwords_count_whole(site):
    """ASVS 2.1.2, 2.1.3: 64 characters and more are good, and none of them is cut off."""
    long = "correct horse battery staple " * 4
    hashed = HASHES.hash(long)
    assert HASHES.is_right(hashed, long)
    assert not HASHES.is_right(hashed, long[:-1])
    assert not HASHES.is_right(hashed, long.replace("  ", " ").strip())
