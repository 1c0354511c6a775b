"""Bring a store to the schema of this program: a copy first, then all steps in one transaction, or none."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, create_engine, event
from sqlalchemy.pool import NullPool

from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.packaged import packaged_path

_LOG = Log("store")


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
    config = _config(path, scripts)
    directory = ScriptDirectory.from_config(config)
    wanted = directory.get_current_head() if to == "head" else to
    current = revision_of(path)
    if current is not None and current not in {script.revision for script in directory.walk_revisions()}:
        raise NewerStoreError(
            f"store {path}: was written by a newer version (schema {current}); "
            "upgrade sinkhole, or restore an older copy"
        )
    if current == wanted:
        return
    if current is not None:
        copy = path.with_name(f"{path.name}.before-{wanted}")
        _copy(path, copy)
        _LOG.info("store.upgrading", path=path, old=current, new=wanted, copy=copy.name)
    _run(config, path, lambda: command.upgrade(config, to))


def downgrade(path: Path, to: str, scripts: Path | None = None) -> None:
    """Take the store back to revision `to` (`base`: nothing); for tests of the migrations."""
    config = _config(path, scripts)
    _run(config, path, lambda: command.downgrade(config, to))


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


def _config(path: Path, scripts: Path | None) -> Config:
    config = Config()
    # ConfigParser reads % as the start of a reference.
    config.set_main_option("script_location", str(scripts or packaged_path("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["store"] = path
    return config


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


def _run(config: Config, path: Path, steps: Callable[[], None]) -> None:
    """Run the steps on one connection in one transaction: SQLite's DDL is transactional if nobody commits between."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        # Before anything is written to a new file: both are properties of the file, the first for ever.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # Altering a table copies it, which must not cascade; what the steps leave is checked at their end.
        connection.execute("PRAGMA foreign_keys = OFF")

    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        try:
            steps()
            if lost := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchone():
                raise StoreError(f"store {path}: cannot be migrated: a row of {lost[0]} would belong to nothing")
        except CommandError as error:
            connection.exec_driver_sql("ROLLBACK")
            raise StoreError(f"store {path}: cannot be migrated: {error}") from error
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
    engine.dispose()
