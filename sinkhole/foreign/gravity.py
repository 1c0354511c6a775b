"""The tables of a Pi-hole: from its database gravity.db, or from the JSON files of an older Teleporter archive."""

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sinkhole.errors import ForeignFileError
from sinkhole.foreign.model import Place

TABLES: Final = ("group", "client", "client_by_group", "domainlist", "domainlist_by_group", "adlist", "adlist_by_group")
MAX_ROWS: Final = 200_000
"""Rows of one table; those of the lists themselves are not read."""
_WITHIN: Final = 20.0
"""Seconds that reading a database may take: its schema can hold views that never end."""
_STEPS: Final = 100_000
_MAX_CELL: Final = 1 << 20
_OLD_LISTS: Final = {
    "whitelist.exact.json": 0, "blacklist.exact.json": 1, "whitelist.regex.json": 2, "blacklist.regex.json": 3,
}  # fmt: skip
"""Files of an older archive that together are the table `domainlist`, and the type of their rows."""
JSON_FILES: Final = frozenset({*_OLD_LISTS, *(f"{table}.json" for table in TABLES)} - {"domainlist.json"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, and where it stands."""

    values: Mapping[str, Any]
    place: Place

    def text(self, column: str) -> str:
        """Return a column as text; empty where it is null or missing."""
        value = self.values.get(column)
        return "" if value is None else str(value)

    def number(self, column: str, default: int = 0) -> int:
        """Return a column as a whole number.

        Raises:
            ForeignFileError: it is none.
        """
        value = self.values.get(column)
        try:
            return default if value is None else int(value)
        except (ValueError, TypeError, OverflowError):
            raise ForeignFileError(f"{self.place}: {column}: wanted a number; found {str(value)[:60]!r}") from None


Tables = Mapping[str, Sequence[Row]]


def read_database(source: Path | bytes, file: str) -> Tables:
    """Read the tables of a gravity.db, from a private copy that is opened for reading only.

    Args:
        source: the file, or what it holds.
        file: its name, for what is said of it.

    Raises:
        ForeignFileError: it is no database, broken, or none of Pi-hole.
    """
    try:
        with _private_copy(source) as copy, closing(_connect(copy)) as connection:
            _expect_sound(connection, file)
            return {table: _read_table(connection, table, file) for table in TABLES}
    except (sqlite3.Error, OSError, UnicodeDecodeError, ValueError) as error:
        why = "reading it takes too long" if "interrupt" in str(error) else str(error)
        raise ForeignFileError(f"{file}: cannot be read as a database: {why}") from error


@contextmanager
def _private_copy(source: Path | bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sinkhole-import-") as folder:
        copy = Path(folder) / "gravity.db"
        if isinstance(source, bytes):
            copy.write_bytes(source)
        else:
            shutil.copyfile(source, copy)
        yield copy


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL)
    deadline = time.monotonic() + _WITHIN
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    connection.row_factory = sqlite3.Row
    return connection


def _expect_sound(connection: sqlite3.Connection, file: str) -> None:
    kinds = {row["name"]: row["type"] for row in connection.execute("SELECT name, type FROM sqlite_master")}
    missing = [table for table in TABLES if kinds.get(table) != "table"]
    if missing:
        raise ForeignFileError(f"{file}: is an SQLite database, but none of Pi-hole: it has no table {missing[0]!r}")


def _read_table(connection: sqlite3.Connection, table: str, file: str) -> list[Row]:
    columns = [row["name"] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    # By rowid: a hostile database can make anything else take very long.
    found = connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid LIMIT {MAX_ROWS + 1}').fetchall()  # noqa: S608 - ours
    if len(found) > MAX_ROWS:
        raise ForeignFileError(f"{file}: the table {table} has more than {MAX_ROWS} rows")
    return [_row(table, number, dict(zip(columns, row, strict=True)), file) for number, row in enumerate(found, 1)]


def read_json_tables(files: Mapping[str, bytes]) -> Tables:
    """Read the tables of an older Teleporter archive from its JSON files.

    Raises:
        ForeignFileError: one is no JSON, or no list of rows.
    """
    tables: dict[str, list[Row]] = {table: [] for table in TABLES}
    for file, octets in files.items():
        rows = _json_rows(file, octets)
        if file in _OLD_LISTS:
            tables["domainlist"] += [
                _row("", number, row | {"type": row.get("type", _OLD_LISTS[file])}, file)
                for number, row in enumerate(rows, 1)
            ]
        else:
            tables[file.removesuffix(".json")] += [_row("", number, row, file) for number, row in enumerate(rows, 1)]
    return tables


def _json_rows(file: str, octets: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise ForeignFileError(f"{file}: is no JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ForeignFileError(f"{file}: wanted a list of rows")
    if len(found) > MAX_ROWS:
        raise ForeignFileError(f"{file}: has more than {MAX_ROWS} rows")
    return found


def _row(table: str, number: int, values: Mapping[str, Any], file: str) -> Row:
    of_table = f"{table} row {number}" if table else f"row {number}"
    return Row(values, Place(file, None, of_table))
