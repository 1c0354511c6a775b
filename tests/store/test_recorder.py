"""Batches are written once, equal rows add up, and what cannot be written is not half written."""

import sqlite3

import pytest

from sinkhole.errors import StoreError
from sinkhole.protocol.names import name_to_text
from sinkhole.store import counters
from sinkhole.store.pseudonym import client_writer
from sinkhole.store.recorder import Recorder, dropped
from sinkhole.store.reports import Reports
from tests.store.rows import MINUTE, START, batch, row


def lines(store):
    return [line.hit for line in Reports(store, 300).lines()]


def test_row_comes_back_as_it_was_written(store, recorder):
    written = row(group="staff", feed="doh", qtype=65, count=7, first=START + 1, last=START + 9)
    assert recorder.write(batch(written))
    assert lines(store) == [written]


def test_batch_sent_twice_counts_once(store, recorder):
    """R-D02: a batch whose acknowledgement was lost is sent again, and stored once."""
    assert recorder.write(batch(row()))
    assert recorder.write(batch(row()))
    assert [line.count for line in lines(store)] == [1]


def test_batch_out_of_order_is_refused_until_its_turn(store, recorder):
    assert recorder.write(batch(row(), seq=1))
    assert not recorder.write(batch(row(qtype=65), seq=3))
    assert recorder.write(batch(row(qtype=28), seq=2))
    assert recorder.write(batch(row(qtype=65), seq=3))
    assert [line.qtype for line in lines(store)] == [1, 28, 65]


def test_new_store_takes_up_a_worker_in_the_middle(store, recorder):
    assert recorder.write(batch(row(), seq=41))
    assert recorder.write(batch(row(), seq=42))
    assert [line.count for line in lines(store)] == [2]


def test_workers_do_not_share_numbers(store, recorder):
    assert recorder.write(batch(row(), worker="a"))
    assert recorder.write(batch(row(), worker="b"))
    assert Reports(store, 300).totals() == (2, 1)


def test_only_workers_of_late_are_remembered(store, recorder):
    """R-D10: by their number, whatever the clock says."""
    recorder.write(batch(row(), worker="gone"))
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
            "INSERT INTO handover SELECT 'w' || i, 1, 4000000000 FROM n"
        )
    recorder.write(batch(row(), worker="new"))
    with store.reading() as connection:
        known = set(connection.exec_driver_sql("SELECT worker FROM handover").scalars())
    assert len(known) == 1001
    assert "new" in known
    assert "gone" not in known


def test_worker_that_writes_is_not_forgotten_at_the_start_of_another(store, recorder):
    for seq in (1, 2):
        recorder.write(batch(row(), worker="old", seq=seq))
    recorder.write(batch(row(), worker="new"))
    assert recorder.write(batch(row(), worker="old", seq=2))
    assert Reports(store, 300).totals()[0] == 3


def test_row_that_makes_no_sense_leaves_no_trace(store, recorder):
    with pytest.raises(KeyError):
        recorder.write(batch(row(name="a.example.org"), row(action="nonsense")))
    assert recorder.write(batch(row(name="a.example.org")))
    assert [line.name for line in lines(store)] == ["a.example.org"]


def test_equal_rows_of_a_minute_add_up_over_batches(store, recorder):
    recorder.write(batch(row(count=2, first=START + 5, last=START + 6)))
    recorder.write(batch(row(count=3, first=START + 4, last=START + 9), row(count=1), seq=2))
    (line,) = lines(store)
    assert (line.count, line.first, line.last) == (6, START, START + 9)


@pytest.mark.parametrize(
    "other",
    [
        {"at": 60}, {"client": "192.0.2.2"}, {"name": "example.org"}, {"qtype": 28}, {"action": "monitor"},
        {"group": "staff"}, {"vendor": None}, {"product": None}, {"feed": "doh"}, {"subject": "vendor:example"},
    ],
    ids=str,
)  # fmt: skip
def test_rows_that_differ_in_anything_stay_apart(store, recorder, other):
    recorder.write(batch(row(), row(**other)))
    recorder.write(batch(row(**other), row(), seq=2))
    assert [line.count for line in lines(store)] == [2, 2]


def test_rows_add_up_after_more_minutes_than_are_remembered(store, recorder):
    for number, at in enumerate((0, 600, 0), 1):
        recorder.write(batch(row(at=at), seq=number))
    assert Reports(store, 300).totals() == (3, 3)
    (tally,) = Reports(store, 300).count_by("vendor")
    assert (tally.hits, tally.attempts) == (3, 2)


def test_rows_add_up_beyond_the_bound_of_memory(store):
    recorder = Recorder(store, lambda address: address, max_known=3)
    for number in range(1, 5):
        recorder.write(batch(row(qtype=number), row(), seq=number))
    assert Reports(store, 300).totals()[0] == 8


def test_drops_of_workers_are_counted(store, recorder):
    """R-D01: what a full queue dropped is visible."""
    recorder.write(batch(dropped=5))
    recorder.write(batch(row(), seq=2, dropped=2))
    recorder.write(batch(row(), seq=2, dropped=2))
    with store.reading() as connection:
        assert dropped(connection) == 7


@pytest.mark.parametrize(
    "name",
    [
        b"\x03'--\x07example\x00",
        b"\x04\x00\xff\"'\x03org\x00",
        b"\x0bDROP TABLE;\x03hit\x00",
        (b"\x3f" + b"\xfe" * 63) * 3 + b"\x3d" + b"\x00" * 61 + b"\x00",
        b"\x00",
    ],
)
def test_any_name_is_stored_as_escaped_text(store, recorder, name):
    """R-D09: quotes, NUL, 255 octets, the root; nothing becomes SQL and nothing is lost."""
    text = name_to_text(name)
    assert recorder.write(batch(row(name=text)))
    assert [line.name for line in lines(store)] == [text]


def test_failed_batch_leaves_nothing_and_is_written_later(store, recorder, path):
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            recorder.write(batch(row()))
        other.execute("ROLLBACK")
    other.close()
    assert recorder.write(batch(row()))
    assert [line.count for line in lines(store)] == [1]


def test_batch_that_fails_in_its_middle_is_rolled_back_whole(store, recorder):
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER fault BEFORE INSERT ON hit WHEN NEW.qtype = 99 BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )
    with pytest.raises(StoreError, match="fault"):
        recorder.write(batch(row(), row(qtype=99), dropped=1))
    with store.transaction() as connection:
        assert dropped(connection) == 0
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM word").scalar() == 0
        connection.exec_driver_sql("DROP TRIGGER fault")
    assert recorder.write(batch(row(), row(qtype=99)))
    assert Reports(store, 300).totals() == (2, 2)


def test_ids_are_not_reused_for_another_text_after_a_deletion(store, recorder):
    recorder.write(batch(row(name="old.example.org")))
    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM hit")
        connection.exec_driver_sql("DELETE FROM word")
        counters.add(connection, counters.DELETIONS)
    recorder.write(batch(row(name="new.example.org"), row(name="old.example.org"), seq=2))
    assert sorted(line.name for line in lines(store)) == ["new.example.org", "old.example.org"]


def test_pseudonyms_are_made_at_write_time(store, path):
    """R-D11: the address is nowhere in the file."""
    recorder = Recorder(store, client_writer("pseudonym", path.parent))
    recorder.write(batch(row(client="192.0.2.77"), row(client="192.0.2.78")))
    clients = {line.client for line in lines(store)}
    assert len(clients) == 2
    assert all(client.startswith("p-") for client in clients)
    store.close()
    assert b"192.0.2.7" not in path.read_bytes()


def test_without_clients_their_rows_add_up(store, path):
    """R-D11: nothing of the client is stored, and reports do not invent one."""
    recorder = Recorder(store, client_writer("none", path.parent))
    recorder.write(batch(row(client="192.0.2.1"), row(client="192.0.2.2", group="staff"), row(client="192.0.2.3")))
    assert sorted((line.client, line.group, line.count) for line in lines(store) if line.group) == [("", "staff", 1)]
    assert Reports(store, 300).totals() == (3, 2)
    (tally,) = Reports(store, 300).count_by("vendor")
    assert (tally.clients, tally.hits) == (0, 3)


def test_backlog_of_another_minute_does_not_disturb_the_current_one(store, recorder):
    """R-D10: a clock that jumps back and forth only sorts rows into the minutes it says."""
    for number, minute in enumerate((MINUTE, MINUTE - 500_000, MINUTE, MINUTE + 500_000, MINUTE), 1):
        recorder.write(batch(row(minute=minute, first=minute * 60, last=minute * 60), seq=number))
    with store.reading() as connection:
        sums = connection.exec_driver_sql(
            "SELECT minute, SUM(count) FROM hit GROUP BY minute ORDER BY minute"
        ).fetchall()
    assert [tuple(found) for found in sums] == [(MINUTE - 500_000, 1), (MINUTE, 3), (MINUTE + 500_000, 1)]
