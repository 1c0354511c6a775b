"""Bring a store to the schema of this program: a copy first, then all steps in one transaction, or none."""

import importlib
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.packaged import packaged_path
from sinkhole.store import new_store

_LOG = Log("store")
_REVISION = re.compile(r'^(down_revision|revision) = (?:"(\w+)"|None)$', re.MULTILINE)


class NewerStoreError(StoreError):
    """A newer program wrote the store; going on would damage it."""


def upgrade(path: Path, *, to: str = "head", scripts: Path | None = None) -> None:
    """Upgrade the store at `path`, which may be an empty file.

    Args:
        to: the revision to reach.
        scripts: folder of the migrations, None for those of this installation.

    Raises:
        NewerStoreError: its revision is unknown to this program.
        StoreError: a step leaves data that belongs to nothing, and is undone.
    """
    folder = scripts or packaged_path("migrations")
    known = _revisions(folder)
    current = revision_of(path)
    if current is not None and current not in known:
        raise NewerStoreError(
            f"store {path}: was written by a newer version (schema {current}); "
            "upgrade sinkhole, or restore an older copy"
        )
    # By the files alone: to load alembic takes longer than most commands run, and nearly no start has a step to take.
    wanted = _head(known) if to == "head" else to
    if current is not None and current == wanted:
        return
    if current is None:
        if wanted is not None and new_store.make(path, wanted, folder):
            return
    else:
        copy = path.with_name(f"{path.name}.before-{wanted or to}")
        _copy(path, copy)
        _LOG.info("store.upgrading", path=path, old=current, new=wanted or to, copy=copy.name)
    _steps().upgrade(path, folder, to)


def downgrade(path: Path, to: str, scripts: Path | None = None) -> None:
    """Take the store back to revision `to` (`base`: nothing); for tests of the migrations."""
    _steps().downgrade(path, scripts or packaged_path("migrations"), to)


def _steps() -> Any:
    return importlib.import_module("sinkhole.store.migration_steps")


def _revisions(folder: Path) -> dict[str, str | None]:
    """Return the revisions there are, each with the one it follows."""
    found = {}
    for file in (folder / "versions").glob("*.py"):
        told = {key: value or None for key, value in _REVISION.findall(file.read_text())}
        if revision := told.get("revision"):
            found[revision] = told.get("down_revision")
    return found


def _head(known: dict[str, str | None]) -> str | None:
    """Return the one revision that none follows; None where the steps do not fit together, which taking them tells."""
    ends = set(known) - set(known.values())
    return ends.pop() if len(ends) == 1 else None


def revision_of(path: Path) -> str | None:
    """Return the revision a store is at, None for an empty one.

    A `user_version` belongs to it: none of our versions sets one, a later one may.
    """
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version:
            return f"version {version}"
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return row[0] if row else None


def _copy(path: Path, copy: Path) -> None:
    """Copy the store, whole or not at all, for the administrator's eyes only."""
    draft = copy.with_name(copy.name + ".part")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        draft.rename(copy)
    finally:
        draft.unlink(missing_ok=True)
