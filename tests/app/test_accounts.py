"""Passwords, scopes, tokens and where the admin side is found."""

import pytest

from sinkhole.app.accounts import page_url
from sinkhole.app.check_settings import mistakes_of
from sinkhole.app.passwords import Passwords, argon2id, expect_good
from sinkhole.app.rights import Right, Scope, is_permitted, role_from_text
from sinkhole.config.schema import AdminSettings, Settings
from sinkhole.errors import AccessError


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "12 to 128 characters; this one has 5"),
        ("x" * 129, "12 to 128 characters"),
        ("aaaabbbbaaaabbbb", "5 different characters"),
        ("correct\nhorse battery", "no control characters"),
        ("alice-alice1alice", "more than the name"),
        ("SinkholePassword1", "more than the name"),
    ],
)
def test_easy_passwords_are_refused(password, why):
    with pytest.raises(AccessError, match=why):
        expect_good(password, "alice")


def test_any_language_makes_a_password():
    """ASVS 2.1.4."""
    expect_good("\u043f\u0430\u0440\u043e\u043b\u044c \u0438\u0437 \u0441\u043b\u043e\u0432", "alice")


def test_hashes_are_argon2id_of_a_cost():
    """RFC 9106, section 4: 64 MiB and 3 passes."""
    hashed = argon2id().hash("correct horse battery")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    passwords = Passwords()
    assert passwords.is_right(hashed, "correct horse battery")
    assert not passwords.is_right(hashed, "correct horse batterx")
    assert not passwords.is_right(None, "nobody has this password")
    assert not passwords.is_right("no hash", "x")
    assert passwords.is_weak("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2g")


def test_scopes_narrow_a_right():
    scopes = [Scope.from_text("manage:policy"), Scope.from_text("read")]
    assert is_permitted(scopes, Right.MANAGE, "policy")
    assert is_permitted(scopes, Right.READ, "feeds")
    assert not is_permitted(scopes, Right.REPORT, "hits")
    assert not is_permitted([], Right.READ, "status")


@pytest.mark.parametrize("text", ["", "rread", "manage:", "manage:nowhere", "MANAGE", "read:policy:x"])
def test_what_is_no_scope_is_refused(text):
    with pytest.raises(AccessError):
        Scope.from_text(text)


def test_nearest_role_is_told():
    with pytest.raises(AccessError, match="did you mean manage"):
        role_from_text("manager")


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8053"),
        ({"listen": ("[::1]:80",)}, "http://[::1]:80"),
        ({"listen": ("0.0.0.0:443",), "certificate": "x", "key": "y"}, "https://localhost"),
        (
            {"listen": ("192.0.2.1:8053",), "certificate": "x", "key": "y", "hosts": ("s.example",)},
            "https://s.example:8053",
        ),
        ({"trusted_proxies": ("192.0.2.1/32",), "hosts": ("s.example",)}, "https://s.example"),
    ],
)
def test_where_it_is_found(given, url):
    assert page_url(AdminSettings(**given)) == url


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"listen": ("x",)}, "admin.listen[0]: cannot listen on 'x'"),
        (
            {"listen": ("192.0.2.1:8053",)},
            "admin.listen[0]: others can reach 192.0.2.1:8053, so it takes a certificate",
        ),
        ({"certificate": "x.pem"}, "admin.key: is missing"),
        ({"key": "x.pem"}, "admin.certificate: is missing"),
    ],
)
def test_settings_that_are_not_safe_are_refused(given, mistake):
    mistakes = mistakes_of(Settings(admin=AdminSettings(**given), upstream={"servers": ("udp://192.0.2.53",)}))
    assert any(mistake in one for one in mistakes), mistakes


@pytest.mark.parametrize(
    "given",
    [
        {"plain_http": True},
        {"trusted_proxies": ("192.0.2.9/32",)},
        {"enabled": False},
        {"certificate": "a", "key": "b"},
    ],
)
def test_settings_that_are_safe(given):
    settings = Settings(
        admin=AdminSettings(listen=("0.0.0.0:8053",), **given), upstream={"servers": ("udp://192.0.2.53",)}
    )
    assert [one for one in mistakes_of(settings) if "admin" in one] == []
