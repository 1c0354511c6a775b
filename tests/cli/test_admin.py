"""`sinkhole admin`: accounts, second factor, links and tokens by the command line."""

import io
import re

import pytest

from sinkhole.app import totp

PASSWORD = "correct horse battery"


@pytest.fixture
def typed(monkeypatch):
    """Let standard input hold what is given."""

    def give(text):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return give


@pytest.fixture
def alice(run, typed):
    typed(PASSWORD + "\n")
    run.good("admin", "create", "alice", "--password-stdin")


def test_account_is_made_listed_and_removed(run, alice, typed):
    (told,) = run.good("admin", "list", "--json").json
    assert (told["account"], told["role"], told["totp"], told["sessions"]) == ("alice", "manage", False, 0)
    assert told["last_login"] is None
    assert run.good("admin", "role", "alice", "read").out == "account alice has the role read\n"
    typed("another horse battery\n")
    assert run.good("admin", "password", "alice", "--password-stdin").out == "account alice has a new password\n"
    assert run.good("admin", "logout", "alice").out == "account alice: sessions ended: 0\n"
    run.good("admin", "remove", "alice")
    assert "no account; make one with" in run.good("admin", "list").out
    said = run.good("audit", "list", "admin", "--json").json
    assert [one["what"] for one in reversed(said)] == [
        "admin account alice made", "admin account alice role", "admin account alice password changed",
        "admin account alice removed",
    ]  # fmt: skip
    assert "horse" not in str(said)


@pytest.mark.parametrize(
    ("words", "given", "sentence"),
    [
        (("create", "alice"), PASSWORD, "there is an account 'alice' already"),
        (("create", "Bob"), PASSWORD, "account 'Bob': wanted up to 63 lower-case letters"),
        (("create", "b\x1b[2J"), PASSWORD, "account 'b\\x1b[2J': wanted"),
        (("create", "bob", "--role", "king"), PASSWORD, "wanted a role, read, report, manage; found 'king'"),
        (("create", "bob"), "short", "a password has 12 to 128 characters; this one has 5"),
        (("password", "nobody"), PASSWORD, "there is no account 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(run, alice, typed, words, given, sentence):
    typed(given + "\n")
    assert run("admin", *words, "--password-stdin").sentence.startswith(sentence)


def test_password_is_not_asked_for_where_there_is_nobody(run, typed):
    typed("")
    assert run("admin", "create", "bob").sentence.startswith("there is no terminal to ask")


def test_second_factor_is_proved_first(run, alice, typed, monkeypatch):
    typed("000000\n")
    assert run("admin", "totp", "alice").status == 2
    monkeypatch.setattr("sinkhole.app.accounts.step_of", lambda secret, code, now: 1 if code == "123456" else None)
    typed("123456\n")
    told = run.good("admin", "totp", "alice", "--json").json
    assert len(told["recovery_codes"]) == 10
    assert run.good("admin", "list", "--json").json[0]["recovery_codes"] == 10
    run.good("admin", "totp", "alice", "--off")
    assert run.good("admin", "list", "--json").json[0]["totp"] is False
    assert totp.DIGITS == 6


def test_link(run):
    url = run.good("admin", "link", "--role", "report", "--json").json["url"]
    assert re.fullmatch(r"http://127\.0\.0\.1:8053/setup/[\w-]{43}", url)


def test_tokens(run):
    made = run.good("admin", "token", "create", "ci", "--scope", "read", "--scope", "manage:policy", "--for", "30d")
    assert re.fullmatch(r"sinkhole_[\w-]{43}\n", made.out)
    (told,) = run.good("admin", "token", "list", "--json").json
    assert (told["token"], told["scopes"], told["used"]) == ("ci", ["read", "manage:policy"], None)
    assert made.out.strip() not in run.good("admin", "token", "list").out
    assert run("admin", "token", "create", "ci", "--scope", "read").sentence == "there is a token 'ci' already"
    assert run("admin", "token", "create", "x", "--scope", "manage:all").sentence.startswith(
        "'manage:all': there is no area"
    )
    run.good("admin", "token", "revoke", "ci")
    assert run("admin", "token", "revoke", "ci").sentence == "there is no token 'ci'"
