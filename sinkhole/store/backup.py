"""Back a data folder up into one file, and put it back: store, feeds, policy, local lists, vendors and records, key."""

import gzip
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sinkhole.errors import StoreError
from sinkhole.store.database import BUSY_TIMEOUT, open_store

STORE = "store.db"
_KEPT = ("feeds", "compiled", "lists", "vendors", "local.records", "pseudonym.key")
_CHUNK = 1024 * 1024


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
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as scratch:
            copy = Path(scratch) / STORE
            _copy_database(folder / STORE, copy)
            _write(target, folder, copy)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise StoreError(f"{target}: the backup failed: {error}") from error
    return target.stat().st_size


def restore(source: Path, folder: Path) -> None:
    """Put a backup into `folder`, which must hold no store; what is in its place moves to `NAME.replaced-TIME`.

    Raises:
        StoreError: the folder is in use, or the file is no whole backup of ours; the folder is then as it was.
    """
    if (folder / STORE).exists():
        raise StoreError(f"{folder}: already has a store; restore into an empty folder, or move the store away first")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restore-") as scratch:
            _unpack(source, Path(scratch))
            _expect_store(source, Path(scratch) / STORE)
            _put(Path(scratch), folder)
    except (OSError, tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise StoreError(f"{source}: cannot be restored: {error}") from error


def _write(target: Path, folder: Path, store: Path) -> None:
    fd, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            # By what they hold: a list that is a link elsewhere, or has a second name, must not come back as a link.
            with tarfile.open(fileobj=file, mode="w:gz", dereference=True) as archive:
                _add(archive, store, STORE)
                for path in _files(folder):
                    with suppress(FileNotFoundError):  # a sync pruned an old version meanwhile
                        _add(archive, path, path.relative_to(folder).as_posix())
            file.flush()
            os.fsync(file.fileno())
        Path(draft).rename(target)
    finally:
        Path(draft).unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    """Yield what is kept beside the store: files, and what links to files; no pipe would ever end."""
    for name in _KEPT:
        top = folder / name
        yield from sorted(path for path in (top, *top.rglob("*")) if path.is_file())


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    with path.open("rb") as file:
        member = archive.gettarinfo(arcname=name, fileobj=file)
        member.mode = 0o600
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        archive.addfile(member, file)


def _unpack(source: Path, scratch: Path) -> None:
    """Unpack the files that a backup may hold, and read on to the checksum at the end."""
    with gzip.open(source) as plain:
        with tarfile.open(fileobj=plain, mode="r|") as archive:
            for member in archive:
                if member.isfile() and member.name.split("/")[0] in (STORE, *_KEPT):
                    _unpack_file(archive, member, scratch)
        _read_to_end(plain)
    for path in scratch.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _unpack_file(archive: tarfile.TarFile, member: tarfile.TarInfo, scratch: Path) -> None:
    """Write what a file holds below `scratch`; not by `extract`, which takes filters from Python 3.11.4 on alone."""
    parts = member.name.split("/")
    packed = archive.extractfile(member)
    if packed is None or not {"", ".", ".."}.isdisjoint(parts):
        raise tarfile.TarError(f"{member.name!r} is no name of a backup")
    if member.size < 0 or member.issparse():  # a few octets of holes would fill a disk
        raise tarfile.TarError(f"{member.name!r} is not as a backup holds it")
    path = scratch.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(packed, file, _CHUNK)
    os.utime(path, (member.mtime, member.mtime))


def _read_to_end(plain: gzip.GzipFile) -> None:
    while plain.read(_CHUNK):
        pass


def _expect_store(source: Path, store: Path) -> None:
    """Open the store as a server would: it is whole, ours, and of a version that we know.

    Raises:
        StoreError: it is not.
    """
    if not store.is_file():
        raise StoreError(f"{source}: is no backup of Sinkhole: it holds no {STORE}")
    before = {path.name for path in store.parent.iterdir()}
    try:
        open_store(store).close()
    except StoreError as error:
        raise StoreError(f"{source}: its store cannot be used: {error}") from error
    after = {path.name for path in store.parent.iterdir()} - before
    if any(".broken-" in name for name in after):
        raise StoreError(f"{source}: its store is damaged")


def _put(scratch: Path, folder: Path) -> None:
    """Move all into place; undo it if something cannot be moved."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    done: list[tuple[Path, Path]] = []
    try:
        # A journal left behind by an older store would be played into the restored one.
        for name in (*_KEPT, f"{STORE}-wal", f"{STORE}-shm", STORE):  # the store last: with it the folder is restored
            if _holds_something(folder / name):
                done.append(_move(folder / name, folder / f"{name}.replaced-{stamp}"))
            if (scratch / name).exists():
                done.append(_move(scratch / name, folder / name))
    except OSError:
        for old, new in reversed(done):
            new.rename(old)
        raise


def _holds_something(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists() or path.is_symlink()


def _move(old: Path, new: Path) -> tuple[Path, Path]:
    old.rename(new)
    return old, new


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database that others write to, in one consistent state."""
    with closing(sqlite3.connect(source, timeout=BUSY_TIMEOUT)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
