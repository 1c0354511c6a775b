"""Back a data folder up into one file, and put it back: store, feeds, compiled policy, local lists, pseudonym key."""

import sqlite3
import tarfile
import tempfile
from pathlib import Path

from sinkhole.errors import StoreError
from sinkhole.store.database import BUSY_TIMEOUT

STORE = "store.db"
_KEPT = ("feeds", "compiled", "lists", "pseudonym.key")


def backup(folder: Path, target: Path) -> int:
    """Write the state of `folder` to `target` (tar.gz, mode 0600); a running server is not disturbed.

    Returns:
        The size of the file in octets.

    Raises:
        StoreError: there is nothing to back up, the target exists, or it cannot be written.
    """
    if not (folder / STORE).exists():
        raise StoreError(f"{folder}: there is no store to back up")
    if target.exists():
        raise StoreError(f"{target}: exists; a backup never overwrites")
    draft = target.with_name(target.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            copy = Path(scratch) / STORE
            _copy_database(folder / STORE, copy)
            draft.touch(mode=0o600)
            with tarfile.open(draft, "w:gz") as archive:
                archive.add(copy, STORE)
                for name in _KEPT:
                    if (folder / name).exists():
                        archive.add(folder / name, name)
        draft.rename(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        draft.unlink(missing_ok=True)
        raise StoreError(f"{target}: the backup failed: {error}") from error
    return target.stat().st_size


def restore(source: Path, folder: Path) -> None:
    """Put a backup into `folder`, which must hold no store yet.

    Raises:
        StoreError: the folder is in use, or the file is no backup; the folder is then as it was.
    """
    if (folder / STORE).exists():
        raise StoreError(f"{folder}: already has a store; restore into an empty folder, or move the store away first")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(scratch, filter="data")
            if not (Path(scratch) / STORE).is_file():
                raise StoreError(f"{source}: is no backup of Sinkhole: it holds no {STORE}")
            _put(Path(scratch), folder)
    except (OSError, tarfile.TarError, EOFError) as error:
        raise StoreError(f"{source}: cannot be restored: {error}") from error


def _put(scratch: Path, folder: Path) -> None:
    for name in (*_KEPT, STORE):  # the store last: with it the folder counts as restored
        if not (scratch / name).exists():
            continue
        if (folder / name).is_dir():
            for child in (scratch / name).iterdir():
                child.rename(folder / name / child.name)
        else:
            (scratch / name).rename(folder / name)


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that others write to, in one consistent state."""
    reading = sqlite3.connect(source, timeout=BUSY_TIMEOUT)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
