"""Clients that were seen: counted by the hour, bounded, forgotten, and readable only where that is permitted."""

import pytest

from sinkhole.policy.activity import Activity
from sinkhole.policy.identity import Identity
from sinkhole.store import client_store as module
from sinkhole.store.client_store import ClientStore, HourOfClient, forget_clients
from sinkhole.store.database import open_store
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.store.retention import Retention, retain

HOUR = 3600
NOW = 500_000 * HOUR
WHO = Identity("aa:bb:cc:dd:ee:ff", ("pc7.lab.example", "b.example"), ("01:aa", "LAPTOP-7"))


@pytest.fixture
def store(path):
    store = open_store(path)
    yield store
    store.close()


def seen(client="192.0.2.7", at=NOW, queries=1, groups=("lab",)):
    return Activity(client, at, at + 10, queries, groups)


def record(store, seq, *activities, text=str):
    assert Recorder(store, text).write(HitBatch("worker", seq, (), 0, clients=activities))


def test_activities_add_up(store):
    record(store, 1, seen(queries=3), seen("192.0.2.8"), seen(at=NOW + HOUR, queries=2, groups=()))
    record(store, 2, seen(at=NOW + 60, queries=4, groups=("lab", "house")))
    clients = ClientStore(store, str)
    assert clients.hours(NOW) == [
        HourOfClient("192.0.2.7", 500_000, 7, is_alive=False), HourOfClient("192.0.2.8", 500_000, 1, is_alive=False),
        HourOfClient("192.0.2.7", 500_001, 2, is_alive=False),
    ]  # fmt: skip
    (first, second) = clients.seen(0)
    assert (first.text, first.first, first.last, first.queries) == ("192.0.2.7", NOW, NOW + HOUR + 10, 9)
    assert first.groups == ("lab", "house")
    assert second.text == "192.0.2.8"
    assert [one.text for one in clients.seen(NOW + 100)] == ["192.0.2.7"]


def test_batch_that_is_sent_twice_counts_once(store):
    record(store, 1, seen())
    record(store, 1, seen())
    assert ClientStore(store, str).seen(0)[0].queries == 1


def test_identity_is_noted_of_clients_that_asked(store):
    record(store, 1, seen())
    clients = ClientStore(store, str)
    clients.note_identities([("192.0.2.7", WHO, "laptop"), ("192.0.2.99", WHO, None)])
    found = clients.find("192.0.2.7")
    assert (found.identity, found.host, found.name) == (WHO, "laptop", "pc7.lab.example")
    assert clients.find("192.0.2.99") is None
    clients.note_identities([("192.0.2.7", Identity(), "laptop")])
    assert clients.find("192.0.2.7").name == "laptop"
    clients.note_identities([])


def test_who_clients_are_is_told_without_counting(store):
    record(store, 1, seen(queries=3), seen("192.0.2.8"))
    clients = ClientStore(store, str)
    clients.note_identities([("192.0.2.7", WHO, "laptop")])
    assert clients.names(["192.0.2.7", "192.0.2.8", "192.0.2.99"]) == {"192.0.2.7": "pc7.lab.example"}
    assert {one.text: (one.identity.mac, one.queries) for one in clients.known()} == {
        "192.0.2.7": (WHO.mac, 0), "192.0.2.8": (None, 0),
    }  # fmt: skip
    assert clients.find_text("192.0.2.7").queries == 3


def test_client_that_is_there_and_silent(store):
    record(store, 1, seen())
    clients = ClientStore(store, str)
    clients.note_alive(["192.0.2.7", "192.0.2.99"], NOW + 5)
    clients.note_alive(["192.0.2.7"], NOW + HOUR)
    clients.note_alive([], NOW)
    assert [(one.hour, one.queries, one.is_alive) for one in clients.hours(0)] == [
        (500_000, 1, True),
        (500_001, 0, True),
    ]


def test_pseudonyms_and_none_keep_nothing_readable(store, tmp_path):
    """R-D11."""
    text = client_writer("pseudonym", tmp_path)
    record(store, 1, seen(), text=text)
    record(store, 2, seen("192.0.2.8"), text=client_writer("none", tmp_path))
    (found,) = ClientStore(store, text).seen(0)
    assert found.text.startswith("p-")
    assert found.groups == ("lab",)
    assert ClientStore(store, text).find("192.0.2.7") == found
    with store.reading() as connection:
        dump = str(connection.exec_driver_sql("SELECT * FROM client").fetchall())
    assert "192.0.2" not in dump


def test_number_of_clients_is_bounded(store, monkeypatch):
    monkeypatch.setattr(module, "MAX_CLIENTS", 3)

    def once(low, at=NOW):
        return Activity(f"192.0.2.{low}", at, at, 1, ())

    record(store, 1, *map(once, range(5)))
    clients = ClientStore(store, str)
    assert sorted(one.text for one in clients.seen(0)) == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
    record(store, 2, seen("192.0.2.0", at=NOW + 60, queries=5))
    record(store, 3, once(9, NOW + 70), once(1, NOW + 70))
    assert sorted((one.text, one.queries) for one in clients.seen(0)) == [
        ("192.0.2.0", 6),
        ("192.0.2.1", 2),
        ("192.0.2.9", 1),
    ], "who asked again stays; of those that asked once the first went"
    record(store, 4, *map(once, range(10, 14)))
    assert len(clients.seen(0)) == 3
    assert {hour.client for hour in clients.hours(0)} <= {one.text for one in clients.seen(0)}


def test_old_hours_and_clients_are_forgotten(store):
    record(store, 1, seen("192.0.2.1", NOW - 15 * 24 * HOUR), seen("192.0.2.2", NOW - 13 * 24 * HOUR), seen())
    retain(store, Retention(90, 2**40), NOW)
    clients = ClientStore(store, str)
    assert [one.text for one in clients.seen(0)] == ["192.0.2.7", "192.0.2.2"]
    assert len(clients.hours(0)) == 2


def test_no_days_keep_nothing(store):
    record(store, 1, seen(at=NOW - 2 * HOUR))
    retain(store, Retention(90, 2**40, activity_days=0), NOW)
    assert ClientStore(store, str).seen(0) == []


def test_number_of_hours_is_bounded(store, monkeypatch):
    monkeypatch.setattr(module, "MAX_HOURS", 2)
    record(store, 1, *(seen(at=NOW + hour * HOUR) for hour in range(5)))
    assert set(forget_clients(store, 14, NOW + 5 * HOUR)) == {0}
    assert [one.hour for one in ClientStore(store, str).hours(0)] == [500_003, 500_004]
