"""Which stores this process has open: nobody may look at the file of one by other means than SQLite meanwhile.

POSIX locks belong to the process. To open the file of a database and close it again lets go of all locks that SQLite
holds on it, in every thread; another process then takes the database for unused, and destroys it
(https://sqlite.org/howtocorrupt.html, section 2.2). So there is one count for the process, and it is here.
"""

import sqlite3
import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Identity = tuple[int, int]
"""Device and inode of a file."""


class _Held:
    """Counts open connections by file, and keeps new ones waiting while somebody looks at a file itself."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._counts: Counter[Identity] = Counter()
        self._looked_at: set[Identity] = set()

    def enter(self, file: Identity) -> None:
        with self._changed:
            self._changed.wait_for(lambda: file not in self._looked_at)
            self._counts[file] += 1

    def leave(self, file: Identity) -> None:
        with self._changed:
            self._counts[file] -= 1
            if self._counts[file] <= 0:
                del self._counts[file]
            self._changed.notify_all()

    @contextmanager
    def alone(self, file: Identity, seconds: float) -> Iterator[bool]:
        with self._changed:
            is_alone = self._changed.wait_for(lambda: not self._counts[file], seconds)
            if is_alone:
                self._looked_at.add(file)
        try:
            yield is_alone
        finally:
            with self._changed:
                if is_alone:
                    self._looked_at.discard(file)
                self._changed.notify_all()


_HELD = _Held()


class HeldConnection(sqlite3.Connection):
    """A connection that is counted while it is open."""

    def __init__(self, database: str, *args: Any, path: Path, **options: Any) -> None:
        file = identity_of(path)
        if file is not None:
            _HELD.enter(file)
            self._leave = weakref.finalize(self, _HELD.leave, file)
        super().__init__(database, *args, **options)

    def close(self) -> None:
        """Close it."""
        super().close()
        leave = getattr(self, "_leave", None)
        if leave is not None:
            leave()  # does it once


@contextmanager
def looking_at(path: Path, seconds: float) -> Iterator[bool]:
    """Give whether the file itself may be looked at; while it may, nobody in this process opens it by SQLite.

    Args:
        seconds: how long to wait until nobody in this process has it open.
    """
    file = identity_of(path)
    if file is None:
        yield True
        return
    with _HELD.alone(file, seconds) as is_alone:
        yield is_alone


def identity_of(path: Path) -> Identity | None:
    """Return what tells a file from another that takes its place, None where there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino
