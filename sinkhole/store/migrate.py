"""Bring a store to the schema of this program: a copy first, then all steps in one transaction, or none."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool

from sinkhole.errors import StoreError
from sinkhole.log import Log
from sinkhole.packaged import packaged_path

_LOG = Log("store")


class NewerStoreError(StoreError):
    """A newer program wrote the store; going on would damage it."""


def upgrade(path: Path, *, is_new: bool, to: str = "head") -> None:
    """Upgrade the store at `path`.

    Args:
        is_new: the file was just made, so there is nothing worth a copy.
        to: the revision to reach.

    Raises:
        NewerStoreError: its revision is unknown to this program.
    """
    config = _config(path)
    current, wanted = revision_of(path), _resolve(config, to)
    if current == wanted:
        return
    if current is not None and current not in _known(config):
        raise NewerStoreError(
            f"was written by a newer version (schema {current}); upgrade sinkhole, or restore an older copy"
        )
    if not is_new and current is not None:
        copy = path.with_name(f"{path.name}.before-{wanted}")
        _copy(path, copy)
        _LOG.info("store.upgrading", path=path, old=current, new=wanted, copy=copy.name)
    _run(config, path, lambda: command.upgrade(config, to))


def downgrade(path: Path, to: str) -> None:
    """Take the store back to revision `to` (`base`: nothing); for tests of the migrations."""
    config = _config(path)
    _run(config, path, lambda: command.downgrade(config, to))


def revision_of(path: Path) -> str | None:
    """Return the revision a store is at, None for an empty one."""
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    finally:
        connection.close()
    return row[0] if row else None


def _config(path: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(packaged_path("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["store"] = path
    return config


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _resolve(config: Config, to: str) -> str | None:
    script = ScriptDirectory.from_config(config)
    return script.get_current_head() if to == "head" else to


def _copy(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    with target:
        source.backup(target)
    target.close()
    source.close()
    copy.chmod(0o600)


def _run(config: Config, path: Path, steps: "object") -> None:
    """Run the steps on one connection in one transaction: SQLite's DDL is transactional if nobody commits between."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")

    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        try:
            steps()  # type: ignore[operator]
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
    engine.dispose()
