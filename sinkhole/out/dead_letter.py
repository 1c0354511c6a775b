"""What a receiver would not take: kept in a file of bounded size, so that a person can look and send it again."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from sinkhole.errors import OutError
from sinkhole.out.event import Event
from sinkhole.out.json_format import to_object


class DeadLetters:
    """A file of JSON lines, one for each batch, and the file before it; together at most `max_octets`, about.

    Args:
        path: the file; the one before has `.1` behind its name.
        max_octets: of both.
    """

    def __init__(self, path: Path, max_octets: int) -> None:
        self.path = path
        self._half = max_octets // 2

    def put(self, events: Sequence[Event], why: str) -> None:
        """Add a batch; raises OutError where it cannot be written."""
        letter = {"at": int(time.time()), "why": why, "events": [to_object(event) for event in events]}
        line = json.dumps(letter, separators=(",", ":")).encode() + b"\n"
        try:
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size + len(line) > self._half:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
            fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(line)
        except OSError as error:
            raise OutError(f"{self.path}: cannot be written: {error.strerror}") from error

    @property
    def octets(self) -> int:
        """How much is kept."""
        files = (self.path, self.path.with_name(self.path.name + ".1"))
        return sum(file.stat().st_size for file in files if file.exists())
