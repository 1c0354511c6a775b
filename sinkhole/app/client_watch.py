"""Keep the table of who is at which address: read the sources, publish what groups ask for, note it in the store.

It runs in the control process. No query waits for it: a client is judged by its address until the table knows more.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from sinkhole.app.client_sources import ClientSources
from sinkhole.app.compiled import compiled_folder
from sinkhole.app.reverse_ask import ReverseAsk
from sinkhole.app.store_keeper import StoreKeeper
from sinkhole.clients.known import Known
from sinkhole.clients.reverse import ReverseNames
from sinkhole.clients.table import RENEWED_AFTER, fresh_names, renew_table, write_table
from sinkhole.config.schema import Settings, is_activity_kept
from sinkhole.errors import PolicyError, StoreError
from sinkhole.log import Log
from sinkhole.policy.document import load_document
from sinkhole.policy.groups import ClientGroups
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import MemberKind
from sinkhole.store.client_store import ClientStore
from sinkhole.store.database import Store
from sinkhole.store.pseudonym import client_writer

MAX_PUBLISHED = 20_000
"""Clients in the table of the workers; more than that means a member that everybody is."""
MIN_GAP = 0.3
"""Seconds between two looks, however many new clients ask for one."""
NOTED_EVERY = 5.0
ALIVE_EVERY = 600.0


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look found: who is where, at which addresses that is news, and whom groups ask for."""

    known: Mapping[str, Known]
    changed: set[str]
    wanted: dict[str, Identity]


class ClientWatch:
    """Knows who is at which address.

    Args:
        settings: the whole configuration.
        store: where clients are noted.
        announce: tells the workers that there is a new table.
        sources: reads neighbour table and lease files.
    """

    def __init__(
        self,
        settings: Settings,
        store: StoreKeeper,
        announce: Callable[[], None],
        sources: ClientSources | None = None,
    ) -> None:
        self._settings = settings
        self._folder: Path = compiled_folder(settings.server.data_dir)
        self._store = store
        self._announce = announce
        self._sources = sources or ClientSources(settings.clients)
        self._groups = self._read_for = ClientGroups(())
        self._names: ReverseNames | None = None
        self._ask: ReverseAsk | None = None
        self._known: Mapping[str, Known] = {}
        self._published: dict[str, Identity] | None = None
        self._renewed = 0.0
        self._is_failing = False
        self._to_note: set[str] = set()
        self._noted = self._said_alive = float("-inf")
        self._wake = asyncio.Event()
        self._log = Log("clients")

    def known(self, address: str) -> Known | None:
        """Return who is at an address, None where that is not known."""
        return self._known.get(address)

    def machine_at(self, address: str) -> tuple[str, ...]:
        """Return the addresses of the machine at an address: those with its MAC address, itself with them."""
        mac = one.identity.mac if (one := self._known.get(address)) is not None else None
        same = [other for other, known in self._known.items() if mac is not None and known.identity.mac == mac]
        return tuple(sorted({address, *same}))

    def name_of(self, address: str) -> str | None:
        """Return what a client is called: its verified name, else what it said to its DHCP server; None for neither."""
        known = self._known.get(address)
        return None if known is None else next(iter(known.identity.names), known.host)

    def take_policy(self) -> None:
        """Look at the groups of the policy in force, which say what need be known of clients."""
        try:
            self._groups = ClientGroups(load_document(self._folder).groups)
        except PolicyError as error:
            self._log.error("clients.no_groups", why=error)
        self._wake.set()

    def note_new(self, addresses: Iterable[str]) -> None:
        """Note clients of which a worker knows nothing, and look into them at once."""
        if (names := self._reverse_names()) is not None:
            names.want(addresses)
        self._wake.set()

    def note_asking(self, addresses: Iterable[str]) -> None:
        """Note that clients ask, so that they are kept up with."""
        asking = set(addresses)
        self._to_note |= asking & self._known.keys()
        if (names := self._reverse_names()) is not None:
            names.want(asking)

    async def run(self) -> None:
        """Keep the table until cancelled."""
        self.take_policy()
        try:
            while True:
                self._wake.clear()
                try:
                    await self._look()
                except Exception:  # the edge of a task: with what was known the workers go on
                    self._log.exception("clients.failed")
                await asyncio.sleep(MIN_GAP)
                await self._wait()
        finally:
            if self._names is not None:
                await self._names.close()
            if self._ask is not None:
                await self._ask.close()

    def _reverse_names(self) -> ReverseNames | None:
        """Return what asks for reverse names, None while no group has a member by name."""
        settings = self._settings.clients
        if MemberKind.NAME not in self._groups.kinds or not settings.reverse_names:
            return None
        if self._names is None or self._ask is None:
            self._ask = ReverseAsk(self._settings)
            self._names = ReverseNames(self._ask, public_too=settings.reverse_public, changed=self._wake.set)
            self._names.remember(fresh_names(self._folder, time.time()))
        return self._names

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._settings.clients.interval):
                await self._wake.wait()
        except TimeoutError:
            if self._names is not None:
                self._names.look()

    async def _look(self) -> None:
        reverse = self._reverse_names()
        names = {} if reverse is None else reverse.names()
        # With many leases this takes longer than a turn of the event loop may.
        found = await asyncio.to_thread(self._read, self._groups, names)
        self._known = found.known
        self._to_note |= found.changed
        self._publish(found.wanted)
        await self._note()

    def _read(self, groups: ClientGroups, names: Mapping[str, tuple[str, ...]]) -> _Found:
        before, known = self._known, self._sources.read(self._kinds(groups), names)
        if known is before and groups is self._read_for and self._published is not None:
            return _Found(known, set(), self._published)
        self._read_for = groups
        return _Found(
            known,
            {address for address, one in known.items() if _is_other(one, before.get(address))},
            {address: one.identity for address, one in known.items() if groups.memberships("", one.identity)},
        )

    def _kinds(self, groups: ClientGroups) -> Set[MemberKind]:
        """Return by what clients must be known; to the block page all addresses of a machine are one."""
        return groups.kinds | {MemberKind.MAC} if self._settings.block_page.enabled else groups.kinds

    def _publish(self, identities: dict[str, Identity]) -> None:
        """Hand the table to the workers if it is another one; else say now and then that it is still right."""
        known = len(identities)
        if known > MAX_PUBLISHED:
            identities = dict(sorted(identities.items())[:MAX_PUBLISHED])
        try:
            if identities != self._published:
                if known > MAX_PUBLISHED:
                    self._log.warning("clients.too_many", known=known, published=MAX_PUBLISHED)
                write_table(self._folder, identities)
                self._published, self._is_failing = identities, False
                self._announce()
            elif time.monotonic() - self._renewed > RENEWED_AFTER:
                renew_table(self._folder)
            else:
                return
        except OSError as error:
            if not self._is_failing:
                self._log.error("clients.not_published", why=error.strerror, effect="groups by address alone")
            self._published, self._is_failing = None, True
        self._renewed = time.monotonic()

    async def _note(self) -> None:
        """Note in the store who clients are, and which of them are there, as far as the settings permit."""
        now = time.monotonic()
        if not is_activity_kept(self._settings) or now - self._noted < NOTED_EVERY:
            return
        self._noted = now
        changed, self._to_note = self._to_note, set()
        known = {one: self._known[one] for one in changed if one in self._known} if self._is_readable else {}
        identities = [(address, one.identity, one.host) for address, one in known.items()]
        is_due = now - self._said_alive > ALIVE_EVERY
        alive = [address for address, one in self._known.items() if one.is_alive] if is_due else []
        if not identities and not alive:
            return
        try:
            await self._store.do(lambda state: self._write(state.store, identities, alive))
        except StoreError:
            self._to_note |= changed  # the keeper said so once
            return
        self._said_alive = now if is_due else self._said_alive

    def _write(self, store: Store, identities: list[tuple[str, Identity, str | None]], alive: list[str]) -> None:
        clients = ClientStore(store, client_writer(self._settings.record.clients, self._settings.server.data_dir))
        clients.note_identities(identities)
        clients.note_alive(alive, time.time())

    @property
    def _is_readable(self) -> bool:
        return self._settings.record.clients == "full"


def _is_other(known: Known, before: Known | None) -> bool:
    return before is None or (known.identity, known.host) != (before.identity, before.host)
