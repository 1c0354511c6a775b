"""Old hits go by age and by size, in slices, and their room is given back."""

import pytest

from sinkhole.store.daily import day_sums
from sinkhole.store.recorder import Recorder
from sinkhole.store.reports import Reports
from sinkhole.store.retention import Retention, retain, steps, used_bytes
from tests.store.rows import MINUTE, START, batch, row

DAY = 1440
NOW = float(START)
MIB = 1024 * 1024


def totals(store):
    return Reports(store, 300).totals()[1]


def words(store):
    with store.reading() as connection:
        return connection.exec_driver_sql("SELECT COUNT(*) FROM word").scalar()


def old(days, **fields):
    minute = MINUTE - days * DAY
    return row(minute=minute, first=minute * 60, last=minute * 60, **fields)


def test_hits_older_than_the_days_go(store, recorder):
    """R-D06: by age."""
    recorder.write(batch(*(old(days, name=f"n{days}") for days in (0, 29, 30, 31, 400))))
    assert retain(store, Retention(30, MIB), NOW) == 2
    assert sorted(line.hit.name for line in Reports(store, 300).lines()) == ["n0", "n29", "n30"]
    assert retain(store, Retention(30, MIB), NOW) == 0


def test_days_are_summed_before_their_hits_go(store, recorder):
    recorder.write(batch(old(40, count=7)))
    retain(store, Retention(30, MIB), NOW)
    with store.reading() as connection:
        assert [found.hits for found in day_sums(connection, 0, int(NOW))] == [7]


def test_slices_bound_what_one_transaction_deletes(store, recorder):
    """R-D06: no long lock; others write between two steps."""
    recorder.write(batch(*(old(90, name=f"n{number}") for number in range(25))))
    seq, deleted = 1, []
    for gone in steps(store, Retention(30, MIB, slice_rows=10), NOW):
        deleted.append(gone)
        seq += 1
        assert recorder.write(batch(row(qtype=seq), seq=seq))
    assert [gone for gone in deleted if gone] == [10, 10, 5]
    assert totals(store) == len(deleted)


def test_size_limit_takes_the_oldest_and_their_texts(store, recorder):
    """R-D06: by size, and the file shrinks."""
    for seq in range(1, 21):
        rows = (old(20 - seq, name=f"a-rather-long-name-{seq}-{number}.example.org") for number in range(1000))
        recorder.write(batch(*rows, seq=seq))
    before, all_words = used_bytes(store), words(store)
    limit = before // 2
    gone = retain(store, Retention(3650, limit), NOW)
    assert 5000 < gone < 15_000
    assert 0.7 * limit < used_bytes(store) <= limit
    assert words(store) < all_words * 0.7
    assert min(line.hit.minute for line in Reports(store, 300).lines()) > MINUTE - 20 * DAY
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA freelist_count").scalar() == 0
    assert Reports(store, 300).count_by("name", limit=1)[0].hits == 1


def test_pages_are_given_back_in_few_steps(store, recorder):
    recorder.write(batch(*(old(90, name=f"n{number}") for number in range(20_000))))
    assert len(list(steps(store, Retention(30, MIB), NOW))) < 20


def test_limit_smaller_than_an_empty_store_ends(store, recorder):
    recorder.write(batch(row()))
    assert retain(store, Retention(30, 1), NOW) == 1
    assert totals(store) == 0
    assert words(store) == 0


def test_flood_of_names_within_one_tick_cannot_keep_the_store_too_large(store, recorder):
    recorder.write(batch(*(row(name=f"flood-of-random-names-{number}.example.org") for number in range(5000))))
    limit = used_bytes(store) // 2
    retain(store, Retention(30, limit), NOW)
    assert used_bytes(store) <= limit


def test_recorder_goes_on_after_its_texts_and_rows_were_deleted(store, recorder):
    recorder.write(batch(row(name="a.example.org"), row(name="b.example.org")))
    retain(store, Retention(30, 1), NOW)
    Recorder(store, str).write(batch(row(name="c.example.org"), worker="other"))
    recorder.write(batch(row(name="a.example.org", count=3), row(name="b.example.org"), seq=2))
    assert sorted((line.hit.name, line.hit.count) for line in Reports(store, 300).lines()) == [
        ("a.example.org", 3), ("b.example.org", 1), ("c.example.org", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("now", [0.0, 4e9], ids=["back", "forward"])
def test_clock_that_is_wrong_does_not_hang(store, recorder, now):
    """R-D10: at worst hits go or stay, by the clock's word."""
    recorder.write(batch(row()))
    assert retain(store, Retention(30, MIB), now) == (1 if now else 0)
