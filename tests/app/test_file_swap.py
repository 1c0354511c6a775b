"""Several files are written as one, or none is."""

import pytest

from sinkhole.app.file_swap import swapped


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_all_are_written(tmp_path):
    (tmp_path / "a").write_text("old")
    with swapped({tmp_path / "a": "new", tmp_path / "b": "ä\n"}):
        assert (tmp_path / "a").read_text() == "new"
    assert contents(tmp_path) == {"a": "new", "b": "ä\n"}
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_puts_all_back(tmp_path, error):
    (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(error), swapped({tmp_path / "a": "new", tmp_path / "b": "b", tmp_path / "link": "x"}):
        raise error
    assert contents(tmp_path) == {"a": "old", "link": "old"}
    assert (tmp_path / "link").is_symlink()


def test_one_that_cannot_be_written_leaves_the_others(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(OSError, match="No such file"), swapped({tmp_path / "a": "new", tmp_path / "no" / "b": "b"}):
        pass
    assert contents(tmp_path) == {"a": "old"}


def test_link_becomes_a_file_and_its_target_stays(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with swapped({tmp_path / "link": "new"}):
        pass
    assert contents(tmp_path) == {"target": "old", "link": "new"}
    assert not (tmp_path / "link").is_symlink()
