"""How clients are written into the store: in full, as keyed pseudonyms, or not at all (R-D11)."""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from sinkhole.store.key_file import read_key

KEY_FILE = "pseudonym.key"
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
    return keyed_writer(read_key(folder / KEY_FILE, "pseudonyms"))


def keyed_writer(key: bytes) -> Callable[[str], str]:
    """Return the function that turns a client into its pseudonym under a key."""

    def write(client: str) -> str:
        octets = client.encode("utf-8", "surrogatepass")
        return "p-" + hmac.new(key, octets, hashlib.sha256).hexdigest()[:_LENGTH]

    return write
