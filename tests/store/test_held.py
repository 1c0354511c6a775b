"""A process that opens its own store again does not let go of its locks: doing so destroys the database."""

import subprocess
import sys
import threading

import pytest

from sinkhole.errors import StoreError
from sinkhole.store.database import open_for_reading, open_store
from sinkhole.store.held import looking_at

LOCKS = """
import fcntl, struct, sys
# The octets that SQLite locks of a database in use: pending, reserved and shared.
with open(sys.argv[1], "r+b") as file:
    found = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 1073741824, 512, 0))
print(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)
"""


def is_locked(path):
    """Ask another process whether this one holds a lock on the store."""
    done = subprocess.run([sys.executable, "-c", LOCKS, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


def test_opening_again_keeps_the_locks(path):
    store = open_store(path)
    with store.reading() as connection:
        connection.exec_driver_sql("SELECT 1 FROM audit").fetchall()
        assert is_locked(path)
        again = open_store(path, is_thorough=False)
        with again.reading() as other:
            other.exec_driver_sql("SELECT 1 FROM audit").fetchall()
        again.close()
        assert is_locked(path)
    store.close()


def test_file_is_looked_at_once_nobody_has_it_open(path):
    store = open_store(path)
    with store.reading() as connection:
        connection.exec_driver_sql("SELECT 1").fetchall()
        with looking_at(path, 0.0) as may_look:
            assert not may_look
    store.close()
    with looking_at(path, 0.0) as may_look:
        assert may_look


def test_opening_waits_while_the_file_is_looked_at(path):
    open_store(path).close()
    reading = open_for_reading(path, lambda: False)
    done = threading.Event()

    def read():
        with reading.reading() as connection:
            connection.exec_driver_sql("SELECT 1").fetchall()
        done.set()

    with looking_at(path, 0.0) as may_look:
        assert may_look
        thread = threading.Thread(target=read)
        thread.start()
        assert not done.wait(0.05)
    assert done.wait(5)
    thread.join()


def test_connection_that_was_lost_is_not_counted_for_ever(path):
    open_store(path).close()
    reading = open_for_reading(path, lambda: False)
    with reading.reading() as connection:
        connection.exec_driver_sql("SELECT 1").fetchall()
    with looking_at(path, 0.0) as may_look:
        assert may_look


def test_reader_cannot_write_and_ends_in_time(path):
    open_store(path).close()
    reading = open_for_reading(path, lambda: False)
    with pytest.raises(StoreError, match="readonly"), reading.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    over = open_for_reading(path, lambda: True)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises(StoreError, match="interrupted"), over.reading() as connection:
        connection.exec_driver_sql(endless).fetchall()
