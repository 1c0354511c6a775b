"""Two processes that open a new data folder at the same moment: the server and a command."""

from contextlib import closing

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
