"""Make a new store at once: what all steps of the migrations come to, without taking them one by one.

To load alembic and take every step takes longer than all else that a first start does. `migrations/new.sql` is what an
empty store is after them, word for word; `python -m tests.store.new_store` writes it, and a test holds it against them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

FILE = "new.sql"
PROPERTIES = ("PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL")
"""Of the file, to be set before anything is written to it; the first for ever."""


def text_for(revision: str, folder: Path) -> str | None:
    """Return the statements that make a store of that revision, None where those of `folder` are of another or none."""
    try:
        text = (folder / FILE).read_text("utf-8")
    except FileNotFoundError:
        return None
    return text if f"""INSERT INTO "alembic_version" VALUES('{revision}');""" in text else None


def make(path: Path, text: str) -> bool:
    """Make all of the store in the file at `path`, or nothing; tell whether the file was empty, as it has to be.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in PROPERTIES:
            connection.execute(statement)
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            return False  # somebody else may have made it since it was looked at
        for statement in _statements(text):
            connection.execute(statement)
        connection.execute("COMMIT")
        return True


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of a script; `executescript` would end the transaction first."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
