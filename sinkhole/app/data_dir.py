"""The data folder: made, checked and locked, so that two servers never share one."""

import fcntl
import os
from pathlib import Path

from sinkhole.errors import ConfigError, ListenError

STORE = "store.db"
COMPILED = "compiled"
FEEDS = "feeds"
LISTS = "lists"


def prepare(folder: Path) -> None:
    """Make the folder (mode 0700) and prove that it can be written.

    Raises:
        ConfigError: it cannot.
    """
    probe = folder / ".write-test"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (COMPILED, FEEDS, LISTS):
            (folder / name).mkdir(exist_ok=True, mode=0o700)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"data folder {folder}: cannot be written: {error.strerror}; "
            "give a folder of your own with --data-dir or SINKHOLE_DATA_DIR"
        ) from error


def lock(folder: Path) -> int:
    """Take the folder for one server; return the file descriptor that holds the lock until it is closed.

    Raises:
        ListenError: another server has it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(fd)
        raise ListenError(f"data folder {folder}: is in use by another sinkhole (process {owner})") from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def running_server(folder: Path) -> bool:
    """Whether a server holds the folder's lock."""
    try:
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(fd)
