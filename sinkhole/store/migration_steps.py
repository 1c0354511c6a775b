"""Take the steps of a migration, by alembic; loaded only where there are any to take."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, create_engine, event
from sqlalchemy.pool import NullPool

from sinkhole.errors import StoreError
from sinkhole.store.new_store import PROPERTIES


def upgrade(path: Path, scripts: Path, to: str) -> None:
    """Take the store forward to revision `to`, or `head`.

    Raises:
        StoreError: a step leaves data that belongs to nothing, or the steps do not fit together; nothing is changed.
    """
    config = _config(path, scripts)
    _run(config, path, lambda: command.upgrade(config, to))


def downgrade(path: Path, scripts: Path, to: str) -> None:
    """Take the store back to revision `to`, or `base`."""
    config = _config(path, scripts)
    _run(config, path, lambda: command.downgrade(config, to))


def _config(path: Path, scripts: Path) -> Config:
    config = Config()
    # ConfigParser reads % as the start of a reference.
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["store"] = path
    return config


def _run(config: Config, path: Path, steps: Callable[[], None]) -> None:
    """Run the steps on one connection in one transaction: SQLite's DDL is transactional if nobody commits between."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for statement in PROPERTIES:
            connection.execute(statement)
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
