"""Query databases of Pi-hole, made by hand in their documented forms."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

NOON = 1795521600
LINKED = """
CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT NOT NULL);
CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT NOT NULL, name TEXT);
CREATE TABLE forward_by_id (id INTEGER PRIMARY KEY, forward TEXT NOT NULL);
CREATE TABLE query_storage (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, type INTEGER NOT NULL,
  status INTEGER NOT NULL, domain INTEGER NOT NULL, client INTEGER NOT NULL, forward INTEGER, additional_info INTEGER,
  reply_type INTEGER, reply_time REAL, dnssec INTEGER);
CREATE VIEW queries AS SELECT id, timestamp, type, status,
  CASE typeof(domain) WHEN 'integer' THEN (SELECT domain FROM domain_by_id d WHERE d.id = q.domain) ELSE domain
    END domain,
  CASE typeof(client) WHEN 'integer' THEN (SELECT ip FROM client_by_id c WHERE c.id = q.client) ELSE client END client
  FROM query_storage q;
INSERT INTO domain_by_id VALUES (1, 'chat.deepseek.com'), (2, 'api.openai.com'), (3, 'www.example.org');
INSERT INTO client_by_id VALUES (1, '192.0.2.2', 'ann'), (2, '192.0.2.3', NULL);
"""
OLD = """
CREATE TABLE queries (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, type INTEGER NOT NULL,
  status INTEGER NOT NULL, domain TEXT NOT NULL, client TEXT NOT NULL, forward TEXT);
"""
ROW = "INSERT INTO query_storage (timestamp, type, status, domain, client) VALUES (?, ?, ?, ?, ?)"
ROWS = (
    (NOON, 1, 1, 1, 1), (NOON + 1.5, 2, 11, 1, 1), (NOON + 2, 1, 2, 2, 2), (NOON + 3, 1, 3, 3, 2),
    (NOON + 4, 1, 2, "claude.ai", "2001:db8::4"),
)  # fmt: skip
"""The last as rows were before they were linked."""


def write_linked(path: Path, rows: Sequence[tuple[object, ...]] = ROWS, *, wal: bool = False) -> sqlite3.Connection:
    """Make a database of version 5 or 6, and return the connection of the Pi-hole that has it open."""
    connection = sqlite3.connect(path, isolation_level=None)
    if wal:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(LINKED)
    connection.executemany(ROW, rows)
    return connection


def write_old(path: Path) -> None:
    """Make a database of before version 5."""
    connection = sqlite3.connect(path)
    connection.executescript(OLD)
    connection.execute("INSERT INTO queries VALUES (1, ?, 1, 4, 'chat.deepseek.com', '192.0.2.2', NULL)", (NOON,))
    connection.commit()
    connection.close()
