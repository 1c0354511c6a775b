"""The audit log is only ever added to, and names who it was."""

import os
import pwd
import socket
import sqlite3
from contextlib import suppress

import pytest

from sinkhole.errors import StoreError
from sinkhole.policy.feed import Feed
from sinkhole.store.audit import current_origin, current_user, entries, note, verify


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


def test_origin_names_the_host_and_a_remote_login(monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 51234 192.0.2.1 22")
    assert current_origin().startswith(socket.gethostname())
    assert current_origin().endswith("from 192.0.2.9")
    monkeypatch.delenv("SSH_CONNECTION")
    assert "from" not in current_origin().split()


def test_terminal_is_a_part_of_the_origin(monkeypatch):
    monkeypatch.setattr(os, "ttyname", lambda fd: "/dev/pts/7")
    assert "pts/7" in current_origin().split()


def test_each_entry_follows_from_the_one_before(filled):
    with filled.reading() as connection:
        first, second = reversed(entries(connection))
        found = verify(connection)
    assert first.digest != second.digest
    assert (found.count, found.head, found.broken) == (2, f"{second.id}:{second.digest}", ())


def test_entry_of_a_change_that_is_undone_leaves_no_gap(filled):
    with filled.transaction() as connection, suppress(StoreError), filled.transaction():
        note(connection, "admin", "undone", None, None)
        raise StoreError("fault")
    with filled.transaction() as connection:
        note(connection, "admin", "third", None, None)
    with filled.reading() as connection:
        assert verify(connection).broken == ()
        assert [entry.id for entry in entries(connection)] == [3, 2, 1]


def test_no_entry_is_whole(store):
    with store.reading() as connection:
        assert verify(connection).head == ""
