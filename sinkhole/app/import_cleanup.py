"""Put back the files of an import that was killed: at the start of the server, and before the next import."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sinkhole.app.data_dir import LISTS
from sinkhole.app.file_swap import clean_up
from sinkhole.app.state import State
from sinkhole.errors import StoreError
from sinkhole.store.audit import entries

JOURNAL = ".import"
"""File of the data folder that says which files an import that is not over has put in place."""


def clean_up_after_kill(state: State) -> bool:
    """Put back the files of an import that was killed before it was made; return whether there was one.

    Raises:
        StoreError: one cannot be put back.
    """

    def is_made(token: str) -> bool:
        with state.store.reading() as connection:
            return bool(entries(connection, 1, text=token))

    try:
        with one_at_a_time(state.folder):
            return clean_up(state.folder / JOURNAL, is_made)
    except OSError as error:
        raise StoreError(f"{error.filename}: cannot be put back after an import: {error.strerror}") from error


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two imports from putting files in place, and back, at the same time."""
    fd = os.open(folder / LISTS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
