"""The data folder: made, checked and locked, so that two servers never share one."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from sinkhole.config.schema import Settings
from sinkhole.errors import ConfigError, ListenError

STORE = "store.db"
COMPILED = "compiled"
FEEDS = "feeds"
LISTS = "lists"
VENDORS = "vendors"
_ORPHANS_END_WITHIN = 2.0
"""Seconds; a worker whose supervisor is gone ends within a fraction of one."""
_LOOK_INTERVAL = 0.02


def prepare(folder: Path) -> None:
    """Make the folder (mode 0700) and prove that it can be written.

    Raises:
        ConfigError: it cannot.
    """
    probe = folder / ".write-test"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (COMPILED, FEEDS, LISTS, VENDORS):
            (folder / name).mkdir(exist_ok=True, mode=0o700)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"data folder {folder}: cannot be written: {error.strerror}; "
            "give a folder of your own with --data-dir or SINKHOLE_DATA_DIR"
        ) from error


def list_folder(settings: Settings) -> Path:
    """Return the only folder that `file:` feeds are read from."""
    return settings.feeds.list_dir or settings.server.data_dir / LISTS


def lock(folder: Path) -> int:
    """Take the folder for one server; return the file descriptor that holds the lock until it is closed.

    The lock passes to the workers with that descriptor: of a supervisor that was killed they hold it, and the port,
    until they have noticed. That is waited for, so that a successor can start at once.

    Raises:
        ListenError: another server has it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    patience = _ORPHANS_END_WITHIN
    while not _try_lock(fd):
        owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        if patience <= 0 or _is_alive(owner):
            os.close(fd)
            raise ListenError(f"data folder {folder}: is in use by another sinkhole (process {owner or 'unknown'})")
        time.sleep(_LOOK_INTERVAL)
        patience -= _LOOK_INTERVAL
    with suppress(OSError):  # a full disk is no reason not to serve; the number only makes a message better
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd


def owner_of(folder: Path) -> int | None:
    """Return the process that noted itself as the server of the folder, None where none did."""
    try:
        text = (folder / "lock").read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
    return int(text) if text.isascii() and text.isdigit() else None


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_alive(owner: str) -> bool:
    return owner.isdigit() and Path("/proc", owner).exists()


def running_server(folder: Path) -> bool:
    """Whether a server holds the folder's lock."""
    try:
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(fd)
    finally:
        os.close(fd)
