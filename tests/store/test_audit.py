"""The audit log is only ever added to, and names who it was."""

import os
import pwd
import sqlite3

import pytest

from sinkhole.errors import StoreError
from sinkhole.policy.feed import Feed
from sinkhole.store.audit import current_user, entries, note


def noted(store):
    with store.reading() as connection:
        return [(entry.who, entry.what) for entry in entries(connection)]


@pytest.fixture
def filled(store):
    with store.transaction() as connection:
        note(connection, "admin", "first", None, None)
        note(connection, "admin", "second", None, Feed("doh", "https://example.org/doh.txt"))
    return store


def test_newest_entry_comes_first(filled):
    assert noted(filled) == [("admin", "second"), ("admin", "first")]
    with filled.reading() as connection:
        assert [entry.what for entry in entries(connection, limit=1)] == ["second"]
        assert '"url": "https://example.org/doh.txt"' in (entries(connection)[0].after or "")
        assert entries(connection)[0].before is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "REPLACE INTO audit (id, at, who, what) VALUES (1, 0, 'nobody', 'nothing')",
        "INSERT INTO audit (id, at, who, what) VALUES (1, 0, 'nobody', 'nothing') ON CONFLICT DO UPDATE SET who = 'x'",
    ],
)
def test_entry_cannot_be_changed_or_removed(filled, path, change):
    """Neither through the store, nor by a program that opens the file and knows nothing of us."""
    with pytest.raises(StoreError, match="append-only"), filled.transaction() as connection:
        connection.exec_driver_sql(change)
    stranger = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        stranger.execute(change)
    stranger.close()
    assert noted(filled) == [("admin", "second"), ("admin", "first")]


def test_user_is_the_systems_not_the_environments(monkeypatch):
    monkeypatch.setenv("USER", "mallory")
    monkeypatch.setenv("LOGNAME", "mallory")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert current_user() == pwd.getpwuid(os.getuid()).pw_name


def test_whoever_became_root_is_named(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "alice")
    expected = "root (sudo by alice)" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    assert current_user() == expected


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_user_without_a_name_is_a_number():
    os.setresuid(54_321, 0, 0)
    try:
        assert current_user() == "uid 54321"
    finally:
        os.setresuid(0, 0, 0)
