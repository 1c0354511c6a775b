"""What is stored of a client (R-D11)."""

import stat

import pytest

from sinkhole.errors import StoreError
from sinkhole.store.pseudonym import KEY_FILE, client_writer
from sinkhole.store.recorder import Recorder
from tests.store.disk import limited_files
from tests.store.rows import batch, row


def test_full_is_the_address_itself(tmp_path):
    assert client_writer("full", tmp_path)("192.0.2.1") == "192.0.2.1"
    assert list(tmp_path.iterdir()) == []


def test_none_is_nothing(tmp_path):
    assert client_writer("none", tmp_path)("192.0.2.1") == ""
    assert list(tmp_path.iterdir()) == []


def test_pseudonym_is_the_same_over_restarts_and_another_elsewhere(tmp_path):
    """R-D11: one client stays one client; nobody without the key can try addresses out."""
    first = client_writer("pseudonym", tmp_path)
    again = client_writer("pseudonym", tmp_path)
    assert first("192.0.2.1") == again("192.0.2.1") != first("192.0.2.2")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert client_writer("pseudonym", elsewhere)("192.0.2.1") != first("192.0.2.1")


@pytest.mark.parametrize("mode", ["pseudonym", "none"])
def test_address_is_nowhere_in_the_files(tmp_path, store, path, mode):
    """R-D11: anonymised when it is written, not when it is shown."""
    recorder = Recorder(store, client_writer(mode, tmp_path))
    recorder.write(batch(row(client="192.0.2.77"), row(client="2001:db8::77")))
    store.close()
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"chat.example.org" in content
    assert b"192.0.2.77" not in content
    assert b"2001:db8::77" not in content


def test_key_is_for_the_owner_alone(tmp_path):
    """R-D08: also if it was put back by hand."""
    client_writer("pseudonym", tmp_path)
    key = tmp_path / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    client_writer("pseudonym", tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_short_key_is_refused_and_left_alone(tmp_path):
    key = tmp_path / KEY_FILE
    key.write_bytes(b"short")
    with pytest.raises(StoreError, match="has 5 octets, 32 are wanted"):
        client_writer("pseudonym", tmp_path)
    assert key.read_bytes() == b"short"


def test_key_that_cannot_be_made_is_said(tmp_path):
    with pytest.raises(StoreError, match="key of pseudonyms cannot be used: No such file or directory"):
        client_writer("pseudonym", tmp_path / "nowhere")


def test_disk_that_is_full_leaves_no_half_key(tmp_path):
    """R-D04, R-D07: the next start finds no key, and makes one."""
    with limited_files(8), pytest.raises(StoreError, match="key of pseudonyms"):
        client_writer("pseudonym", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert client_writer("pseudonym", tmp_path)("192.0.2.1").startswith("p-")
