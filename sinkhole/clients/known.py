"""Who is at which address, from all sources together.

What is seen on the link goes before what a lease says: of a lease whose MAC address is another than the neighbour
table's nothing counts, since somebody else uses the address.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sinkhole.clients.lease import Lease
from sinkhole.clients.neighbours import Neighbour
from sinkhole.policy.identity import Identity

NEIGHBOURS = "neighbour table"
REVERSE_NAME = "reverse name, verified"
CONTRADICTED = "lease of another MAC address, not counted"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a source says: `mac`, `id`, `name` or `host`, its value, and the source in words."""

    what: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Known:
    """Who is at an address.

    Attributes:
        identity: what may decide policy.
        host: the name the client gave to its DHCP server: shown, decides nothing.
        facts: what was said by whom.
        is_alive: whether the neighbour table heard of it lately, or it holds a lease.
    """

    identity: Identity = field(default_factory=Identity)
    host: str | None = None
    facts: tuple[Fact, ...] = ()
    is_alive: bool = False


class Remembered:
    """Neighbours, kept for a while after the table has forgotten them; a MAC address that is another counts at once.

    Args:
        keep: seconds.
    """

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._seen: dict[str, tuple[Neighbour, float]] = {}

    def note(self, neighbours: Iterable[Neighbour], now: float) -> dict[str, Neighbour]:
        """Take the table of the moment, and return all neighbours that count, by address; `now` is monotonic."""
        current = {one.address: one for one in neighbours}
        for address, (one, seen) in list(self._seen.items()):
            if address not in current and now - seen > self._keep:
                del self._seen[address]
            elif address not in current and one.is_alive:
                self._seen[address] = (Neighbour(address, one.mac, is_alive=False), seen)
        self._seen.update({address: (one, now) for address, one in current.items()})
        return {address: one for address, (one, _) in self._seen.items()}


def known_clients(
    neighbours: Mapping[str, Neighbour],
    leases: Iterable[tuple[str, Mapping[str, Lease]]],
    names: Mapping[str, tuple[str, ...]],
    now: float,
) -> dict[str, Known]:
    """Put together who is at which address.

    Args:
        neighbours: by address.
        leases: of each lease file, with its path; of two leases of an address the later file counts.
        names: verified reverse names, by address.
        now: epoch seconds, for leases.
    """
    held: dict[str, tuple[str, Lease]] = {}
    for path, by_address in leases:
        held.update({address: (path, lease) for address, lease in by_address.items() if lease.holds(now)})
    addresses = {**neighbours, **held, **names}
    return {one: _known(neighbours.get(one), held.get(one), names.get(one, ())) for one in addresses}


def _known(neighbour: Neighbour | None, held: tuple[str, Lease] | None, names: tuple[str, ...]) -> Known:
    facts = [Fact("mac", neighbour.mac, NEIGHBOURS)] if neighbour else []
    facts += [Fact("name", name, REVERSE_NAME) for name in names]
    mac, host = neighbour.mac if neighbour else None, None
    ids: tuple[str, ...] = ()
    is_alive = neighbour is not None and neighbour.is_alive
    if held is not None:
        path, lease = held
        if mac is not None and lease.mac not in (None, mac):
            facts.append(Fact("mac", str(lease.mac), f"{CONTRADICTED} ({path})"))
        else:
            mac, ids, host, is_alive = mac or lease.mac, lease.ids, lease.host, True
            facts += _lease_facts(lease, f"lease in {path}", tells_mac=neighbour is None)
    return Known(Identity(mac, names, ids), host, tuple(facts), is_alive)


def _lease_facts(lease: Lease, source: str, *, tells_mac: bool) -> list[Fact]:
    facts = [Fact("mac", lease.mac, source)] if lease.mac and tells_mac else []
    facts += [Fact("id", one, source) for one in lease.ids]
    return facts + ([Fact("host", lease.host, f"{source}; decides nothing")] if lease.host else [])
