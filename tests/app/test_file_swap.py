"""Several files are written as one, or none is."""

import os
import signal

import pytest

from sinkhole.app.file_swap import clean_up, swapped


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_all_are_written(tmp_path):
    (tmp_path / "a").write_text("old")
    with swapped({tmp_path / "a": "new", tmp_path / "b": "ä\n"}, tmp_path / ".journal", "t"):
        assert (tmp_path / "a").read_text() == "new"
    assert contents(tmp_path) == {"a": "new", "b": "ä\n"}
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_puts_all_back(tmp_path, error):
    (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to("a")
    with (
        pytest.raises(error),
        swapped({tmp_path / "a": "new", tmp_path / "b": "b", tmp_path / "link": "x"}, tmp_path / ".journal", "t"),
    ):
        raise error
    assert contents(tmp_path) == {"a": "old", "link": "old"}
    assert (tmp_path / "link").is_symlink()


def test_one_that_cannot_be_written_leaves_the_others(tmp_path):
    (tmp_path / "a").write_text("old")
    with (
        pytest.raises(OSError, match="No such file"),
        swapped({tmp_path / "a": "new", tmp_path / "no" / "b": "b"}, tmp_path / ".journal", "t"),
    ):
        pass
    assert contents(tmp_path) == {"a": "old"}


def test_link_becomes_a_file_and_its_target_stays(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with swapped({tmp_path / "link": "new"}, tmp_path / ".journal", "t"):
        pass
    assert contents(tmp_path) == {"target": "old", "link": "new"}
    assert not (tmp_path / "link").is_symlink()


def killed(work):
    """Run `work` in a process that kills itself in it."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("is_made", [False, True])
@pytest.mark.parametrize("renames", [1, 2, 3])
def test_kill_half_way_is_cleaned_up_after(tmp_path, monkeypatch, renames, is_made):
    """What was there is never away, and comes back where what belongs to the files was not made."""
    journal = tmp_path / ".journal"
    texts = {tmp_path / "a": "new", tmp_path / "b": "b"}
    (tmp_path / "a").write_text("old")
    rename, done = type(tmp_path).rename, []

    def counted(self, target):
        if len(done) == renames:
            kill()
        done.append(target)
        return rename(self, target)

    def change():
        monkeypatch.setattr(type(tmp_path), "rename", counted)
        with swapped(texts, journal, "token"):
            kill()

    killed(change)
    assert (tmp_path / "a").exists()
    assert clean_up(journal, lambda token: is_made and token == "token")
    if not is_made:
        assert contents(tmp_path) == {"a": "old"}
    elif renames == 3:
        assert contents(tmp_path) == {"a": "new", "b": "b"}
    assert not clean_up(journal, lambda _: True)


def test_kill_before_the_journal_leaves_all_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def change():
        monkeypatch.setattr(type(tmp_path), "rename", kill)
        with swapped({tmp_path / "a": "new"}, tmp_path / ".journal", "token"):
            pass

    killed(change)
    assert not clean_up(tmp_path / ".journal", lambda _: False)
    assert (tmp_path / "a").read_text() == "old"
