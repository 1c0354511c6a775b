"""Every route, with nobody, each role and each scope: what is not said to be permitted is refused."""

import re

import pytest

from sinkhole.app.rights import AREAS, Right, Scope
from sinkhole.web.api.table import ROUTES
from sinkhole.web.openapi import PREFIX
from sinkhole.web.pages.serve import STATIC
from sinkhole.web.pages.table import PAGES
from sinkhole.web.route import ANYONE, Kind
from sinkhole.web.site import make_site

EVERY = [*((PREFIX + route.path, route) for route in ROUTES), *((page.path, page) for page in PAGES)]
IDS = [f"{route.method} {path}" for path, route in EVERY]
LIVE = {PREFIX + route.path for route in ROUTES if route.kind is Kind.LIVE}
PLAIN = {"number": "999", "kind": "pause", "domain": "x.example", "file": "style.css"}
"""Places of which there is nothing."""


def filled(path):
    return re.sub(r"\{(\w+)\}", lambda found: PLAIN.get(found[1], "none-such"), path)


def status(client, route, path):
    own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}  # forms are only for our pages
    with client.stream(route.method, filled(path), headers=own, follow_redirects=False) as response:
        return response.status_code, response.headers.get("Location", "")


@pytest.fixture(scope="module")
def clients(site):
    """A browser for each role, and a client with a token for each scope."""
    found = {}
    for right in Right:
        found[str(right)] = site.browser(site.account(f"{right}er", str(right)))
    for right in Right:
        found[f"token {right}"] = site.client(site.token(str(right)))
    return found


@pytest.mark.parametrize(("path", "route"), EVERY, ids=IDS)
def test_nobody_gets_in(site, path, route):
    """ASVS 4.1.1, 4.1.5: without a session or token each route but those of the log-in refuses."""
    with site.browser() as nobody:
        found, location = status(nobody, route, path)
    if route.right is ANYONE:
        assert found not in (401, 403, 500) or path == PREFIX + "/session"
    elif route.method == "GET" and not path.startswith(PREFIX) and path != "/metrics":
        assert (found, location.partition("?")[0]) == (303, "/login")
    else:
        assert found == 401


@pytest.mark.parametrize("secret", ["x", "sinkhole_", "sinkhole_" + "A" * 43, "' OR 1=1 --", "\u00e9"])
def test_forged_secrets_are_nobody(site, secret):
    with site.client() as client:
        raw = secret.encode("utf-8")
        assert client.get("/api/v1/status", headers={"Authorization": b"Bearer " + raw}).status_code == 401
        assert client.get("/api/v1/status", headers={"Cookie": b"sinkhole=" + raw}).status_code == 401


@pytest.mark.parametrize(("path", "route"), EVERY, ids=IDS)
def test_roles_and_scopes_are_checked(clients, path, route):
    """ASVS 4.1.3: a right is enough for what takes it or less, and for nothing more."""
    if route.right is ANYONE or route.path in ("/session", "/sessions", "/logout"):
        return  # what ends the sessions of these clients is tested by itself
    for right in Right:
        for client in (clients[str(right)], clients[f"token {right}"]):
            found, _ = status(client, route, path)
            if right >= route.right:
                assert found not in (401, 403, 303, 500), (right, found)
            else:
                assert found == 403, (right, found)


@pytest.mark.parametrize("area", AREAS)
def test_scope_of_an_area_ends_there(site, area):
    """A token for one area is good for nothing else, whatever its right there."""
    with site.client(site.token(f"manage:{area}")) as client:
        for path, route in EVERY:
            if route.right is ANYONE or path in LIVE or route.path in ("/session", "/sessions", "/logout", "/doctor"):
                continue
            found, _ = status(client, route, path)
            assert (found == 403) is (route.area != area), (path, found)


def test_tables_are_all_that_is_served(site):
    """Default deny: the router has nothing that is in no table, and each table entry says its right."""
    served = {
        (route.method, route.resource.canonical)
        for route in make_site(site.context).router.routes()
        if route.resource is not None
    }
    known = {(route.method, path) for path, route in EVERY}
    assert served - known == {("GET", STATIC)}
    assert known <= served
    assert {route.area for _, route in EVERY} <= set(AREAS)


def test_changes_take_the_right_to_manage():
    changing = [route for route in ROUTES if route.kind in (Kind.CHANGE, Kind.NOTE)]
    assert changing
    assert {route.right for route in changing} == {Right.MANAGE}
    reading = [route for route in ROUTES if route.kind is Kind.READ]
    assert {route.method for route in reading} == {"GET"}


def test_people_are_behind_the_right_to_report():
    """What was recorded of clients, and the log of who did what, is more than policy."""
    about_people = {"hits", "reports", "clients", "discover", "audit"}
    assert all(one.right >= Right.REPORT for one in (*ROUTES, *PAGES) if one.area in about_people)


def test_scope_that_cannot_be_read_gives_nothing(site):
    with site.client(site.token("everything", "read:nowhere")) as client:
        assert client.get("/api/v1/status").status_code == 403


@pytest.mark.parametrize("text", ["manage:policy", "read", "report:hits"])
def test_scope_is_written_as_it_is_read(text):
    assert str(Scope.from_text(text)) == text
