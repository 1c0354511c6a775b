"""Two processes that open a new data folder at the same moment: the server and a command."""

import sqlite3
from contextlib import closing

from sinkhole.app import compiled
from sinkhole.app.data_dir import STORE
from sinkhole.app.state import open_state
from sinkhole.config.load import load_settings
from sinkhole.policy.subject import Subject
from sinkhole.store.database import Store


def test_defaults_are_put_in_by_one_of_them_and_what_it_removed_stays_away(tmp_path, monkeypatch):
    settings = load_settings(None, {}, {"server.data_dir": tmp_path})
    everything, write = Subject.from_text("ai"), Store.transaction

    def wait_for_the_other(store):
        monkeypatch.setattr(Store, "transaction", write)
        with closing(open_state(settings, "first")) as state:
            state.policy.remove(everything, None)
        return write(store)

    monkeypatch.setattr(Store, "transaction", wait_for_the_other)
    with closing(open_state(settings, "second")) as state:
        assert everything not in {one.subject for one in state.policy.statements()}


def test_catalogue_is_read_while_nobody_waits_for_the_lock(tmp_path, monkeypatch):
    read = compiled.shipped_catalogue
    others = []

    def read_beside_a_writer():
        with closing(sqlite3.connect(tmp_path / STORE, timeout=0, isolation_level=None)) as other:
            others.append(other.execute("BEGIN IMMEDIATE").fetchone())
        return read()

    monkeypatch.setattr(compiled, "shipped_catalogue", read_beside_a_writer)
    with closing(open_state(load_settings(None, {}, {"server.data_dir": tmp_path}))) as state:
        assert state.policy.statements()
    assert others == [None]
