"""Reverse names of clients, each of which must lead back to the address: whoever owns only the one side says nothing.

Bounded in number and in time; nobody waits for it. A name counts until its TTL ends, and while it is asked for again.
"""

import asyncio
import heapq
import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from sinkhole.config.schema import PRIVATE_NETWORKS
from sinkhole.errors import FormError
from sinkhole.log import Log
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text, name_to_text, read_name
from sinkhole.protocol.rdata import address_to_text
from sinkhole.protocol.types import QType

Ask = Callable[[bytes, int], Awaitable[tuple[Record, ...] | None]]
"""Gives the answer to (name, type): its records, empty where there are none; None where no answer is to be had."""

MAX_KNOWN = 20_000
"""Addresses whose names are kept, or waited for."""
MAX_NAMES = 4
"""Names of one address that are looked into."""
AT_ONCE = 8
RATE = 50.0
"""Look-ups begun in a second at most, so that a flood of forged addresses is none of reverse queries."""
LOOKUP_WITHIN = 5.0
SHORTEST, LONGEST = 60.0, 86_400.0
"""Seconds that a name, or that there is none, is kept, whatever its TTL."""
NONE_FOR = 300.0
TRIED_AGAIN_AFTER = 60.0
OLD_FOR = 3600.0
"""Seconds that a name counts on after its end while nobody answers for it."""
FORGOTTEN_AFTER = 3600.0
"""Seconds after which the name of a client that asks nothing is not asked for again."""

_PRIVATE = tuple(map(ipaddress.ip_network, PRIVATE_NETWORKS))


@dataclass(slots=True)
class _Entry:
    wanted: float
    names: tuple[str, ...] = ()
    ends: float = 0.0


class ReverseNames:
    """Knows the verified names of addresses that were wanted.

    Args:
        ask: asks a name.
        public_too: whether the reverse names of public addresses may be asked for.
        changed: is called when the names of an address are others than before.
        clock: monotonic seconds.
        rate: look-ups begun in a second.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        public_too: bool,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        rate: float = RATE,
    ) -> None:
        self._step = 1 / rate
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ask = ask
        self._public_too = public_too
        self._changed = changed
        self._clock = clock
        self._known: dict[str, _Entry] = {}
        self._due: list[tuple[float, str]] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._log = Log("clients")

    def want(self, addresses: Iterable[str]) -> None:
        """Note that these clients ask; their names are looked up as soon as there is room."""
        now = self._clock()
        for address in addresses:
            entry = self._known.get(address)
            if entry is not None:
                entry.wanted = now
            elif len(self._known) < MAX_KNOWN and self._may_be_asked(address):
                self._known[address] = _Entry(now)
                heapq.heappush(self._due, (now, address))
        self.look()

    def remember(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Take over names that were in force before a restart: they count on, and are looked up anew at once."""
        now = self._clock()
        for address, found in names.items():
            if len(self._known) < MAX_KNOWN and self._may_be_asked(address):
                self._known[address] = _Entry(now, found, now + OLD_FOR)
                heapq.heappush(self._due, (now, address))

    def look(self) -> None:
        """Begin the look-ups that are due, as many as may run; forget who asks no more."""
        now = self._clock()
        while self._due and self._due[0][0] <= now and len(self._running) < AT_ONCE:
            if self._free_at > now:
                self._look_later(self._free_at - now)
                return
            _, address = heapq.heappop(self._due)
            entry = self._known[address]
            if now - entry.wanted > FORGOTTEN_AFTER:
                del self._known[address]
                continue
            self._free_at = max(self._free_at, now - AT_ONCE * self._step) + self._step
            self._running[address] = asyncio.get_running_loop().create_task(self._look_up(address, entry))

    def _look_later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self.look()

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return the names in force, by address."""
        now = self._clock()
        return {address: entry.names for address, entry in self._known.items() if entry.names and now < entry.ends}

    async def close(self) -> None:
        """End what runs."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, address: str, entry: _Entry) -> None:
        before = entry.names
        try:
            async with asyncio.timeout(LOOKUP_WITHIN):
                found = await self._verified(address)
        except (TimeoutError, FormError):
            found = None
        except Exception:  # the edge of a task that nobody waits for
            self._log.exception("reverse_name.failed")
            found = None
        finally:
            self._running.pop(address, None)
        heapq.heappush(self._due, (self._note(entry, found), address))
        if entry.names != before:
            self._changed()
        self.look()

    def _note(self, entry: _Entry, found: tuple[tuple[str, ...], float] | None) -> float:
        """Note what was found, and return when to ask again."""
        now = self._clock()
        if found is None:
            if now >= entry.ends:
                entry.names = ()
            return now + TRIED_AGAIN_AFTER
        entry.names, life = found
        entry.ends = now + life + OLD_FOR
        return now + life

    async def _verified(self, address: str) -> tuple[tuple[str, ...], float] | None:
        """Return the names that lead to the address and back, and for how long; None where that cannot be said."""
        parsed = ipaddress.ip_address(address)
        answer = await self._ask(name_from_text(parsed.reverse_pointer), QType.PTR)
        if answer is None:
            return None
        pointers = [record for record in answer if record.rtype == QType.PTR][:MAX_NAMES]
        names, lives, is_sure = [], [float(record.ttl) for record in answer], True
        for name in dict.fromkeys(read_name(record.rdata, 0)[0].lower() for record in pointers):
            back = await self._ask(name, QType.AAAA if parsed.version == 6 else QType.A)
            is_sure = is_sure and back is not None
            if back is not None and any(_address_in(record) == address for record in back):
                names.append(name_to_text(name))
                lives += [float(record.ttl) for record in back]
        if not names and not is_sure:
            return None
        life = min(lives) if names else NONE_FOR
        return tuple(sorted(names)), min(max(life, SHORTEST), LONGEST)

    def _may_be_asked(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return self._public_too or any(parsed in network for network in _PRIVATE)


def _address_in(record: Record) -> str | None:
    return address_to_text(record.rdata) if record.rtype in (QType.A, QType.AAAA) else None
