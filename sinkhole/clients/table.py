"""The table that the control process hands to the workers: who is at which address, as far as a group asks for it.

One small file that is replaced in one step. It is good for ten minutes and written again before they end, so that a
worker whose control process is gone does not go on with who had an address long ago.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sinkhole.errors import SinkholeError
from sinkhole.policy.identity import Identity

NAME = "clients.json"
GOOD_FOR = 600.0
RENEWED_AFTER = 120.0
"""Seconds after which an unchanged table is marked as still right."""
_FORMAT = 1

Row = list[Any]
"""MAC address or None, names, ids."""


class TableError(SinkholeError):
    """The table cannot be read."""


def write_table(folder: Path, identities: Mapping[str, Identity]) -> None:
    """Put a table in place; raises OSError where it cannot be written."""
    rows = {address: [one.mac, list(one.names), list(one.ids)] for address, one in sorted(identities.items())}
    draft = folder / f"{NAME}.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, "clients": rows}, file)
    draft.rename(folder / NAME)


def renew_table(folder: Path) -> None:
    """Say that the table is still right; raises OSError where there is none."""
    os.utime(folder / NAME)


def read_table(folder: Path) -> dict[str, Row]:
    """Return the rows of the table, by address; none where there is no table.

    Raises:
        TableError: it is damaged.
    """
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if found["format"] != _FORMAT:
            raise TableError(f"{folder / NAME}: wanted format {_FORMAT}; found {found['format']!r}")
        rows: dict[str, Row] = {str(address): [row[0], row[1], row[2]] for address, row in found["clients"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TableError(f"{folder / NAME}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise TableError(f"{folder / NAME}: is damaged: {type(error).__name__}") from error
    return rows


def identity_of_row(row: Row) -> Identity:
    """Return the identity that a row says."""
    mac, names, ids = row
    return Identity(mac, tuple(names), tuple(ids))


def fresh_names(folder: Path, now: float) -> dict[str, tuple[str, ...]]:
    """Return the names of a table that is good still, by address; none of one that is old, absent or damaged."""
    if abs(now - stamp_of(folder)[2]) > GOOD_FOR:
        return {}
    try:
        return {address: tuple(row[1]) for address, row in read_table(folder).items() if row[1]}
    except TableError:
        return {}


def stamp_of(folder: Path) -> tuple[int, int, float]:
    """Return what tells this table from another one, and when it was written or renewed (epoch seconds)."""
    try:
        stat = (folder / NAME).stat()
    except OSError:
        return (0, 0, 0.0)
    return (stat.st_ino, stat.st_mtime_ns, stat.st_mtime)
