"""What was recorded of one vendor or one client."""

import pytest

from sinkhole.policy.hit import HitRow
from sinkhole.store.database import open_store
from sinkhole.store.hour_counts import attempts_by_hour
from sinkhole.store.recorder import HitBatch, Recorder
from sinkhole.store.tried import NameAsked, Tried

T0 = 1_790_000_400
HOUR = 3600


def row(at, client, vendor, action="block", name="a.example", count=1):
    return HitRow(at // 60, client, None, name, 1, action, vendor, None, None, None, count, at, at)


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path / "store.db")
    rows = (
        row(T0, "c1", "v1"), row(T0 + 60, "c1", "v1"), row(T0 + HOUR, "c1", "v1", "coach", "b.example", 3),
        row(T0 + 2 * HOUR, "c1", "v2", "monitor"), row(T0, "c2", "v1"), row(T0, "", "v1"),
        row(T0 + 30, "c1", None, "block", "dns.example"),
    )  # fmt: skip
    Recorder(found, str).write(HitBatch("w", 1, rows, 0))
    yield found
    found.close()


def test_clients_of_a_vendor(store):
    found = Tried(store, 300).clients_of("v1", T0 - 1, T0 + 9 * HOUR, 10)
    assert [(one.key, one.attempts, one.hits, one.blocked, one.coached) for one in found] == [
        ("c1", 2, 5, 2, 3), ("c2", 1, 1, 1, 0),
    ]  # fmt: skip
    assert (found[0].first, found[0].last) == (T0, T0 + HOUR)
    assert Tried(store, 300).clients_of("v1", T0 - 1, T0 + 9 * HOUR, 1) == found[:1]
    assert Tried(store, 300).clients_of("v9", 0, T0 + 9 * HOUR, 10) == []


def test_vendors_times_and_names_of_a_client(store):
    tried = Tried(store, 300)
    assert [(one.key, one.attempts) for one in tried.vendors_of("c1", 0, T0 + 9 * HOUR)] == [("v1", 2), ("v2", 1)]
    assert tried.vendors_of("", 0, T0 + 9 * HOUR) == [], "clients that are not stored are nobody"
    assert tried.times_of("c1", 0, T0 + 9 * HOUR, HOUR) == {
        T0 // HOUR: {"v1": 1}, T0 // HOUR + 1: {"v1": 1}, T0 // HOUR + 2: {"v2": 1},
    }  # fmt: skip
    names = tried.names_of("c1", 0, T0 + 9 * HOUR, 2)
    assert names[0] == NameAsked("a.example", "v2", "monitor", 1, T0 + 2 * HOUR, T0 + 2 * HOUR)
    assert [one.name for one in names] == ["a.example", "b.example"]
    assert tried.names_of("c9", 0, T0, 5) == []
    assert tried.times_of("c9", 0, T0, HOUR) == {}


def test_hours_count_attempts_where_they_begin(store):
    assert attempts_by_hour(store, 300, T0 - 1, T0 + 9 * HOUR) == {
        T0 // HOUR: {"v1": 3}, T0 // HOUR + 1: {"v1": 1}, T0 // HOUR + 2: {"v2": 1},
    }  # fmt: skip
    assert attempts_by_hour(store, 300, T0 + 10 * HOUR, T0 + 11 * HOUR) == {}
