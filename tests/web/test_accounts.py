"""Accounts and tokens by the API: what gives access takes a log-in, and nobody gives more than they have."""

from datetime import UTC, datetime, timedelta

import pytest

from sinkhole.store.audit import entries
from tests.web.conftest import PASSWORD

V1 = "/api/v1"
NEW = "another battery of horses"


@pytest.fixture(scope="module")
def boss(site):
    site.account("boss")
    with site.browser("boss") as found:
        yield found


def test_token_is_made_used_and_revoked(site, boss):
    made = boss.post(f"{V1}/tokens", json={"name": "ci", "scopes": ["read", "manage:policy"], "days": 3})
    assert made.status_code == 201, made.text
    told = made.json()
    with site.client(told["secret"]) as program:
        assert program.get(f"{V1}/session").json()["scopes"] == ["read", "manage:policy"]
        listed = {one["name"]: one for one in boss.get(f"{V1}/tokens").json()["items"]}
        assert (listed["ci"]["maker"], listed["ci"]["scopes"]) == ("admin boss", ["read", "manage:policy"])
        assert told["secret"] not in boss.get(f"{V1}/tokens").text
        assert boss.delete(f"{V1}/tokens/ci").status_code == 200
        assert program.get(f"{V1}/session").status_code == 401
    assert boss.delete(f"{V1}/tokens/ci").status_code == 404
    with site.state() as state, state.store.reading() as connection:
        assert told["secret"] not in str(entries(connection, 20))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "scopes": []}, 400), ({"name": "X", "scopes": ["read"]}, 400),
        ({"name": "x", "scopes": ["everything"]}, 422), ({"name": "x", "scopes": ["read:nowhere"]}, 422),
        ({"name": "x", "scopes": ["read"], "days": 0}, 400), ({"name": "x", "scopes": ["read"], "days": 367}, 400),
    ],
)  # fmt: skip
def test_token_that_is_none_is_refused(boss, body, status):
    assert boss.post(f"{V1}/tokens", json=body).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/tokens", {"name": "heir", "scopes": ["read"]}),
        ("POST", "/accounts/links", {"role": "manage"}),
        ("POST", "/accounts/boss/role", {"role": "read"}),
        ("DELETE", "/accounts/boss", None),
        ("POST", "/session/password", {"current": PASSWORD, "wanted": NEW}),
    ],
)  # fmt: skip
def test_token_gives_nobody_access(site, boss, method, path, body):
    """It would outlive its own end that way."""
    with site.client(site.token("manage")) as program:
        refused = program.request(method, V1 + path, json=body)
    assert refused.status_code in (403, 422), refused.text
    assert "token" in refused.json()["detail"]


def test_token_may_take_access_away(site, boss):
    site.account("leaver", "read")
    with site.browser("leaver") as leaver, site.client(site.token("manage:access")) as program:
        assert program.post(f"{V1}/accounts/leaver/log-out").json() == {"ended": 1}
        assert leaver.get(f"{V1}/session").status_code == 401
        boss.post(f"{V1}/tokens", json={"name": "leaked", "scopes": ["read"]})
        assert program.delete(f"{V1}/tokens/leaked").status_code == 200


def test_account_is_made_by_a_link(site, boss):
    made = boss.post(f"{V1}/accounts/links", json={"role": "report"}).json()
    secret = made["url"].rpartition("/")[2]
    with site.browser() as guest:
        form = {"name": "guest", "password": NEW, "again": NEW}
        assert guest.post(f"/setup/{secret}", data=form, follow_redirects=False).status_code == 303
    assert boss.get(f"{V1}/accounts/guest").json()["role"] == "report"


def test_role_changes_and_ends_the_sessions(site, boss):
    site.account("climber", "read")
    assert boss.get(f"{V1}/accounts/climber").json()["last_login"] is None
    with site.browser("climber") as climber:
        logged_in = datetime.fromisoformat(boss.get(f"{V1}/accounts/climber").json()["last_login"])
        assert abs(logged_in - datetime.now(UTC)) < timedelta(minutes=1)
        assert boss.post(f"{V1}/accounts/climber/role", json={"role": "report"}).json()["sessions"] == 0
        assert climber.get(f"{V1}/session").status_code == 401
    assert f'last <time datetime="{logged_in:%Y-%m-%dT%H:%M:%SZ}' in boss.get("/access").text
    assert boss.delete(f"{V1}/accounts/climber").status_code == 200
    assert boss.get(f"{V1}/accounts/climber").status_code == 404


def test_somebody_who_may_manage_is_left(site, boss):
    managers = [one["name"] for one in boss.get(f"{V1}/accounts").json()["items"] if one["role"] == "manage"]
    assert managers == ["boss"]
    assert boss.post(f"{V1}/accounts/boss/role", json={"role": "read"}).status_code == 409
    assert boss.delete(f"{V1}/accounts/boss").status_code == 409
    assert boss.get(f"{V1}/accounts/boss").json()["role"] == "manage"


def test_own_password_takes_the_current_one_and_ends_all_sessions(site):
    """ASVS 2.1.5, 2.1.6, 3.3.3; and the session that goes on is another (3.2.1)."""
    site.account("owner", "read")
    with site.browser("owner") as here, site.browser("owner") as there:
        before = here.cookies["sinkhole"]
        path = f"{V1}/session/password"
        assert here.post(path, json={"current": "wrong", "wanted": NEW}).status_code == 422
        assert here.post(path, json={"current": PASSWORD, "wanted": "short"}).status_code == 422
        assert here.post(path, json={"current": PASSWORD, "wanted": NEW}).status_code == 204
        assert here.cookies["sinkhole"] != before
        assert here.get(f"{V1}/session").status_code == 200
        assert there.get(f"{V1}/session").status_code == 401
    with site.browser("owner", NEW) as again:
        assert again.get(f"{V1}/session").status_code == 200


def test_guesses_of_the_current_password_are_bounded(site):
    """A session that somebody got hold of is no way to the password."""
    site.account("guessed", "read")
    with site.browser("guessed") as browser:
        found = [
            browser.post(f"{V1}/session/password", json={"current": f"guess {n}", "wanted": NEW}).status_code
            for n in range(11)
        ]
    assert found == [422] * 10 + [429]
