"""Read the sources that tell who is at which address; one that cannot be read is said once and waited for."""

import time
from collections.abc import Callable, Mapping, Set
from pathlib import Path

from sinkhole.clients.known import Known, Remembered, known_clients
from sinkhole.clients.lease_file import LeaseError, LeaseFile
from sinkhole.clients.neighbours import Neighbour, NeighbourError, read_neighbours
from sinkhole.config.schema import ClientSettings
from sinkhole.log import Log
from sinkhole.policy.member import MemberKind

_FROM_THE_LINK = frozenset({MemberKind.MAC, MemberKind.ID})
"""Members that the neighbour table decides: a client-id too, since a lease of another MAC address does not count."""


class ClientSources:
    """Reads neighbour table and lease files.

    Args:
        settings: which of them.
        neighbours: reads the table.
        wall, clock: seconds since the epoch, and monotonic seconds.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        neighbours: Callable[[], list[Neighbour]] = read_neighbours,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._read_neighbours = neighbours
        self._wall = wall
        self._clock = clock
        self._remembered = Remembered(settings.keep)
        self._files = [LeaseFile(path) for path in settings.leases]
        self._known: dict[str, Known] = {}
        self._inputs: tuple[object, ...] | None = None
        self._since = self._ends = 0.0
        self._malformed: dict[Path, int] = {}
        self._said: set[str] = set()
        self._log = Log("clients")

    def read(self, kinds: Set[MemberKind], names: Mapping[str, tuple[str, ...]]) -> dict[str, Known]:
        """Return who is at which address; the same object as before where nothing has changed.

        Args:
            kinds: of the members that groups have.
            names: verified reverse names, by address.
        """
        how = self._settings.neighbours
        is_wanted = how == "always" or (how == "needed" and not kinds.isdisjoint(_FROM_THE_LINK))
        neighbours = self._remembered.note(self._neighbours() if is_wanted else (), self._clock())
        for file in self._files:
            self._look(file)
        now, inputs = self._wall(), (neighbours, dict(names), [file.leases for file in self._files])
        # With tens of thousands of leases putting them together takes a while, and mostly nothing has changed.
        if self._inputs is None or not self._since <= now < self._ends or self._inputs != inputs:
            leases = [(str(file.path), file.leases.by_address) for file in self._files]
            self._known = known_clients(neighbours, leases, names, now)
            ends = [
                lease.expires for _, held in leases for lease in held.values() if lease.expires and lease.holds(now)
            ]
            self._inputs, self._since, self._ends = inputs, now, min(ends, default=float("inf"))
        return self._known

    def _neighbours(self) -> list[Neighbour]:
        try:
            return self._read_neighbours()
        except NeighbourError as error:
            self._say(str(error))
            return []

    def _look(self, file: LeaseFile) -> None:
        try:
            if file.look():
                self._say_read(file)
                self._said = {why for why in self._said if str(file.path) not in why}
        except LeaseError as error:
            self._say(str(error))

    def _say_read(self, file: LeaseFile) -> None:
        """Say that a file was read the first time, and when more or less of it cannot be read: it may change often."""
        malformed = file.leases.malformed
        if self._malformed.get(file.path) != malformed:
            self._malformed[file.path] = malformed
            count = len(file.leases.by_address)
            self._log.info("leases.read", path=file.path, format=file.format, leases=count, malformed=malformed)

    def _say(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            self._log.warning("clients.source_failed", why=why, effect="what was known counts until it ends")
