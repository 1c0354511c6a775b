"""How a command opens the state of an installation."""

from sinkhole.cli.options import Place
from sinkhole.cli.session import opened
from sinkhole.store.database import BUSY_TIMEOUT


def test_command_waits_longer_for_a_lock_than_the_server_does(tmp_path):
    with opened(Place(None, tmp_path / "d")) as state, state.store.reading() as connection:
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert waits == 30_000 > BUSY_TIMEOUT * 1000
