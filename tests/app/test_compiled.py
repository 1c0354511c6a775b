"""The compiled policy of a data folder: made, mended, and refused where it cannot be written."""

import pytest

from sinkhole.app import data_dir
from sinkhole.app.compiled import compiled_folder, ensure_policy
from sinkhole.config.load import load_settings
from sinkhole.errors import PolicyError
from sinkhole.policy.document import DOCUMENT_NAME, PREVIOUS_NAME, load_policy

SETTINGS = load_settings(None, {}, {})


@pytest.fixture
def folder(tmp_path):
    data_dir.prepare(tmp_path)
    return tmp_path


def test_default_is_compiled_once(folder, caplog):
    """R-O06: with nothing there, the built-in policy is served."""
    assert ensure_policy(folder, SETTINGS)
    assert load_policy(compiled_folder(folder), verify=True).generation == 1
    assert not ensure_policy(folder, SETTINGS)
    assert "policy.broken" not in caplog.text


def test_broken_policy_is_replaced_by_the_one_before_else_by_the_default(folder, caplog):
    """R-F10, R-O06."""
    ensure_policy(folder, SETTINGS)
    document, previous = (compiled_folder(folder) / name for name in (DOCUMENT_NAME, PREVIOUS_NAME))
    previous.write_bytes(document.read_bytes())
    document.write_bytes(b"garbage")
    assert ensure_policy(folder, SETTINGS)
    assert "the policy before it" in caplog.text
    document.write_bytes(b"garbage")
    previous.unlink()
    assert ensure_policy(folder, SETTINGS)
    assert "the built-in default" in caplog.text
    assert not ensure_policy(folder, SETTINGS)


def test_folder_that_cannot_be_written_is_one_clear_error(folder):
    """R-O03, R-D03."""
    compiled_folder(folder).rmdir()
    with pytest.raises(PolicyError, match="cannot be written"):
        ensure_policy(folder, SETTINGS)
