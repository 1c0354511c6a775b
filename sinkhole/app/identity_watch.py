"""A worker's view of who is at which address: the table that the control process publishes, while it is fresh."""

import asyncio
import time
from collections.abc import Callable, Set
from pathlib import Path

from sinkhole.clients.table import GOOD_FOR, Row, TableError, identity_of_row, read_table, stamp_of
from sinkhole.log import Log
from sinkhole.policy.identity import Identity

LOOK_INTERVAL = 0.5
"""Seconds between looks at the file: the control process announces a table, this is for when it cannot."""


class IdentityWatch:
    """Holds the newest table; without one, or with one that is old, nobody is known and addresses decide.

    Args:
        folder: where the table is.
        changed: is told the addresses at which somebody else is now.
        wall: seconds since the epoch.
    """

    def __init__(
        self, folder: Path, changed: Callable[[Set[str]], None], wall: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._changed: Callable[[Set[str]], None] = lambda _: None  # nobody has been taken for anyone yet
        self._wall = wall
        self._rows: dict[str, Row] = {}
        self._seen = (0, 0, 0.0)
        self._log = Log("clients")
        self.take_newest()
        self._changed = changed

    def of(self, address: str) -> Identity | None:
        """Return who is at an address, None where that is not known."""
        row = self._rows.get(address)
        return None if row is None else identity_of_row(row)

    def take_newest(self) -> None:
        """Load what is published, if it is another table than before; drop one that nobody keeps up any more."""
        stamp = stamp_of(self._folder)
        if abs(self._wall() - stamp[2]) > GOOD_FOR:
            if self._rows:
                self._log.warning("clients.outdated", effect="groups by address alone", clients=len(self._rows))
                self._swap({})
            self._seen = (0, 0, 0.0)
            return
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._swap(read_table(self._folder))
        except TableError as error:
            self._log.error("clients.refused", why=error, kept=len(self._rows))

    def _swap(self, rows: dict[str, Row]) -> None:
        before, self._rows = self._rows, rows
        others = {address for address in before.keys() | rows.keys() if before.get(address) != rows.get(address)}
        if others:
            self._changed(others)

    async def run(self) -> None:
        """Look at the file until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL)
            self.take_newest()
