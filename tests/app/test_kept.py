"""The catalogue in force is kept, and whatever changes it is seen at the next look."""

import os
import threading

import pytest

from sinkhole.app.catalogue_in_force import CatalogueInForce
from sinkhole.app.catalogue_made_of import made_of
from sinkhole.app.data_dir import FEEDS, VENDORS, prepare
from sinkhole.app.kept import Keep
from sinkhole.app.state import open_state
from sinkhole.catalogue.author import vendor_text
from sinkhole.config.schema import Settings
from sinkhole.policy.feed import Feed
from tests.catalogue.small import domain, product, small, vendor

OWN = vendor("novel", product("novel/chat", domain("novel.example")))


@pytest.fixture
def state(tmp_path):
    prepare(tmp_path)
    state = open_state(Settings.model_validate({"server": {"data_dir": tmp_path}}))
    yield state
    state.close()


def test_what_has_not_changed_is_not_made_again(state):
    assert state.catalogue() is state.catalogue()


def test_states_share_what_one_of_them_made(state):
    other = open_state(state.settings, kept=state.kept)
    assert other.catalogue() is state.catalogue()
    other.close()


def test_own_vendor_is_seen_at_once_and_so_is_its_end(state):
    state.catalogue()
    file = state.folder / VENDORS / "novel.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(vendor_text(OWN))
    assert "novel" in state.catalogue().catalogue.by_id
    file.write_text(vendor_text(OWN).replace("novel.example", "other.example"))
    assert state.catalogue().local.domains == (("other.example", "novel/chat"),)
    file.unlink()
    assert "novel" not in state.catalogue().catalogue.by_id


def test_feed_that_brings_a_host_guards_it_at_once(state):
    """A local file may not take the host that a list comes from."""
    (state.folder / VENDORS).mkdir(exist_ok=True)
    (state.folder / VENDORS / "novel.toml").write_text(vendor_text(OWN))
    assert state.catalogue().local.domains
    state.feeds.put(Feed("ours", "https://novel.example/list.txt"))
    assert not state.catalogue().local.domains


def key(state, **sections):
    settings = state.settings.model_copy(update=sections)
    return made_of(settings, state.feeds.all(), state.folder / FEEDS, {})


def test_each_part_is_in_the_key(state):
    before = key(state)
    assert key(state) == before
    assert key(state, upstream=state.settings.upstream.model_copy(update={"servers": ("192.0.2.53",)})) != before
    assert key(state, blocking=state.settings.blocking.model_copy(update={"ipv4": "192.0.2.80"})) != before


def test_snapshot_of_a_signed_feed_is_in_the_key(state):
    state.feeds.put(Feed("cat", "https://lists.example/c.json", "catalogue", key="RWQ"))
    folder = state.folder / FEEDS / "cat" / "1"
    folder.mkdir(parents=True)
    body = folder / "body"
    body.write_text("one")
    keys = [key(state)]
    look = body.stat()
    (folder / "draft").write_text("two")
    os.utime(folder / "draft", ns=(look.st_atime_ns, look.st_mtime_ns))  # other octets of the same size and time
    (folder / "draft").rename(body)
    keys.append(key(state))
    body.unlink()
    keys.append(key(state))
    assert len(set(keys)) == 3


def test_shipped_files_are_in_the_key(state, tmp_path, monkeypatch):
    """As they are when a process begins; those of another installation are others."""
    keys = []
    for place, texts in (("one", {"acme": "1"}), ("two", {"acme": "22"}), ("three", {"acme": "1", "more": ""})):
        vendors = tmp_path / place / "vendors"
        vendors.mkdir(parents=True)
        for name, text in texts.items():
            (vendors / f"{name}.toml").write_text(text)
        monkeypatch.setattr("sinkhole.app.catalogue_made_of.packaged_path", lambda _, found=vendors.parent: found)
        keys.append(key(state))
        (vendors / "late.toml").write_text("")
        assert key(state) == keys[-1]
    assert len(set(keys)) == 3


def test_threads_that_come_at_once_make_it_once():
    cache, made, gate = Keep(1), [], threading.Barrier(4)

    def make():
        made.append(1)
        return CatalogueInForce(small(), None, {})

    def ask():
        gate.wait()
        cache.get("key", make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [1]


def test_what_cannot_be_made_leaves_the_key_of_before():
    cache = Keep(1)
    first = cache.get("old", lambda: CatalogueInForce(small(), None, {}))
    with pytest.raises(RuntimeError):
        cache.get("new", lambda: (_ for _ in ()).throw(RuntimeError("broken")))
    assert cache.get("old", lambda: pytest.fail("made again")) is first
