"""Texts are kept once, found again, and forgotten when no hit is as old as they are."""

import pytest

from sinkhole.store.words import TICK_MINUTES, Words, delete_unused_words
from tests.store.rows import MINUTE, batch, row


def words_in(store):
    with store.reading() as connection:
        return dict(connection.exec_driver_sql("SELECT text, used FROM word").fetchall())


def test_text_keeps_its_id(store):
    words = Words()
    with store.transaction() as connection:
        first = words.ids_of(connection, ["a", "b"], MINUTE)
        assert words.ids_of(connection, ["b", "a", "c"], MINUTE) | first == words.ids_of(connection, "abc", MINUTE)
        assert Words().ids_of(connection, ["b"], MINUTE) == {"b": first["b"]}
        assert len(set(first.values())) == 2


@pytest.mark.parametrize("max_cached", [1, 700])
def test_more_texts_than_the_cache_holds_and_a_statement_binds(store, max_cached):
    words = Words(max_cached)
    texts = [f"n{number}" for number in range(1300)]
    with store.transaction() as connection:
        ids = words.ids_of(connection, texts, MINUTE)
        assert len(set(ids.values())) == 1300
        assert words.ids_of(connection, texts[::-1], MINUTE) == ids


def test_use_is_noted_once_a_tick_and_never_back(store):
    words = Words()
    for minute in (MINUTE, MINUTE + TICK_MINUTES, MINUTE):
        with store.transaction() as connection:
            words.ids_of(connection, ["a"], minute)
    assert words_in(store) == {"a": MINUTE // TICK_MINUTES + 1}


def test_only_texts_older_than_all_hits_are_forgotten(store, recorder):
    later = MINUTE + 2 * TICK_MINUTES
    recorder.write(batch(row(name="old.example.org", vendor="old")))
    recorder.write(batch(row(minute=later, name="new.example.org"), seq=2))
    with store.transaction() as connection:
        assert delete_unused_words(connection, 0, 100)[0] == 0
        connection.exec_driver_sql("DELETE FROM hit WHERE minute < ?", (later,))
        deleted, last = delete_unused_words(connection, 0, 100)
        assert deleted == 2
        assert delete_unused_words(connection, last, 100) == (0, 0)
    assert set(words_in(store)) == {"192.0.2.1", "new.example.org", "example", "example/chat", "ai"}


def test_without_hits_all_texts_are_forgotten_in_slices(store):
    with store.transaction() as connection:
        Words().ids_of(connection, ["a", "b", "c"], MINUTE)
        assert delete_unused_words(connection, 0, 2) == (2, 2)
        assert delete_unused_words(connection, 2, 2) == (1, 3)
        assert delete_unused_words(connection, 3, 2) == (0, 0)
    assert words_in(store) == {}
