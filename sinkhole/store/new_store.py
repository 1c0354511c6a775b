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


def make(path: Path, revision: str, folder: Path) -> bool:
    """Make all of the store in the file at `path`, or nothing, by the statements in `folder`.

    Returns:
        False where the file is not empty, or the statements are of another revision or not there; nothing is made then.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    try:
        text = (folder / FILE).read_text("utf-8")
    except FileNotFoundError:
        return False
    if f"""INSERT INTO "alembic_version" VALUES('{revision}');""" not in text:
        return False
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
