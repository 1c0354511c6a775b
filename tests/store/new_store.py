"""`python -m tests.store.new_store`: write what a new store is made of, after a step was added to the migrations."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sinkhole.packaged import packaged_path
from sinkhole.store import migration_steps
from sinkhole.store.new_store import FILE


def text_of_steps(folder: Path) -> str:
    """The statements that make what all steps make, by what SQLite says of an empty store that took them."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "store.db"
        migration_steps.upgrade(path, folder, "head")
        with closing(sqlite3.connect(path)) as connection:
            (ours,) = connection.execute("PRAGMA application_id").fetchone()
            _begin, *lines, _commit = connection.iterdump()
    return "".join(f"{line}\n" for line in (f"PRAGMA application_id = {ours:#x};", *lines))


if __name__ == "__main__":
    migrations = packaged_path("migrations")
    (migrations / FILE).write_text(text_of_steps(migrations))
