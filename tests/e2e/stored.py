"""What the store of a server holds, read as a stranger would: by SQLite alone."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

STORE = "store.db"


def _open(data_dir: Path) -> sqlite3.Connection:
    """Open the store, but never make one."""
    return sqlite3.connect(f"file:{data_dir / STORE}?mode=rw", uri=True, timeout=10)


def integrity(data_dir: Path) -> str:
    """Return what SQLite says of the file; `ok` is good."""
    with closing(_open(data_dir)) as connection:
        return "; ".join(row[0] for row in connection.execute("PRAGMA integrity_check"))


def hits_by_name(data_dir: Path, like: str = "%") -> dict[str, int]:
    """Return how many queries are stored for each name."""
    with closing(_open(data_dir)) as connection:
        rows = connection.execute(
            "SELECT word.text, sum(hit.count) FROM hit JOIN word ON word.id = hit.name "
            "WHERE word.text LIKE ? GROUP BY word.text",
            (like,),
        )
        return dict(rows.fetchall())


def counter(data_dir: Path, name: str) -> int:
    """Return a counter of the store."""
    with closing(_open(data_dir)) as connection:
        row = connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> bool:
    """Wait until something in another process is so; return whether it became so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
