"""Run commands in this process, on a data folder of the test's own."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sinkhole.__main__ import main


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    error: str

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """What it printed, as a JSON value."""
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one sentence with which it refused: status 2, nothing else said, no traceback."""
        assert (self.status, self.out) == (2, ""), self
        (line,) = self.error.splitlines()
        assert line.startswith("sinkhole: ")
        return line.removeprefix("sinkhole: ")


class Commands:
    """Runs commands; `folder` is the data folder."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.config = folder.parent / "sinkhole.toml"
        self.config.write_text('[upstream]\nservers = ["127.0.0.1:9"]\n')
        self._capture = capture

    def __call__(self, *words: str | Path, place: bool = True) -> Done:
        """Run one command, whatever its exit status; `place` adds the folder and the settings."""
        where = ["--data-dir", str(self.folder), "--config", str(self.config)] if place else []
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*map(str, words), *where])
        out, error = self._capture.readouterr()
        assert "Traceback" not in error
        return Done(int(ended.value.code or 0), out, error)

    def good(self, *words: str | Path) -> Done:
        """Run one command that must end well."""
        done = self(*words)
        assert done.status == 0, done
        return done


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Commands]:
    """Give what runs commands; the log begins as in a new process, and goes back to where it was."""
    for name in ("SINKHOLE_DATA_DIR", "SINKHOLE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    log = logging.getLogger("sinkhole")
    before = (log.handlers[:], log.level, log.propagate)
    # As in a process of its own: whatever ran before in this one may have left a handler whose stream is closed.
    log.handlers[:], log.propagate = [], True
    log.setLevel(logging.NOTSET)
    yield Commands(tmp_path / "data", capsys)
    log.handlers[:], log.level, log.propagate = before
