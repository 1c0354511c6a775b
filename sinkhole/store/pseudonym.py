"""How clients are written into the store: in full, as keyed pseudonyms, or not at all (R-D11)."""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from sinkhole.errors import StoreError

KEY_FILE = "pseudonym.key"
_KEY_OCTETS = 32
_LENGTH = 12
"""Hexadecimal digits of a pseudonym: 48 bits, so that two of a million clients share one with odds of 1 in 500."""


def client_writer(mode: str, folder: Path) -> Callable[[str], str]:
    """Return the function that turns a client's address into what is stored.

    Args:
        mode: `full`, `pseudonym` or `none`.
        folder: where the key is kept, made at the first use with mode 0600.

    Raises:
        StoreError: the key cannot be read or made.
    """
    if mode == "full":
        return lambda address: address
    if mode == "none":
        return lambda _address: ""
    key = _key(folder / KEY_FILE)
    return lambda address: "p-" + hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def _key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make(path)
        path.chmod(0o600)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: the key of pseudonyms cannot be used: {error.strerror}") from error
    if len(key) < _KEY_OCTETS:
        raise StoreError(f"{path}: the key of pseudonyms has {len(key)} octets, {_KEY_OCTETS} are wanted")
    return key


def _make(path: Path) -> None:
    """Write a new key, whole or not at all: half a key, left by a full disk, would be refused ever after."""
    fd, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(_KEY_OCTETS))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).rename(path)
    finally:
        Path(draft).unlink(missing_ok=True)
