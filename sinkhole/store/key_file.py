"""A secret key in a file of the data folder, made at its first use, for the owner alone."""

import os
import secrets
import tempfile
from pathlib import Path

from sinkhole.errors import StoreError

KEY_OCTETS = 32


def read_key(path: Path, what: str) -> bytes:
    """Return the key, which is made where there is none.

    Args:
        what: what it is the key of, for the error.

    Raises:
        StoreError: it cannot be read or made, or is too short.
    """
    try:
        if not path.exists():
            _make(path)
        path.chmod(0o600)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: the key of {what} cannot be used: {error.strerror}") from error
    if len(key) < KEY_OCTETS:
        raise StoreError(f"{path}: the key of {what} has {len(key)} octets, {KEY_OCTETS} are wanted")
    return key


def _make(path: Path) -> None:
    """Write a new key, whole or not at all: half a key, left by a full disk, would be refused ever after."""
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(KEY_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).rename(path)
    finally:
        Path(draft).unlink(missing_ok=True)
