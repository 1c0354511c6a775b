"""The client gate: one look-up of the source address gives whether it may ask, its groups and its rate limit.

It stands before everything else, the packet cache too: nobody is served from a cache who may not ask.
"""

import ipaddress
import time
from collections.abc import Callable, Iterable, Set
from typing import Final

from sinkhole.config.schema import AccessSettings
from sinkhole.errors import ListenError
from sinkhole.log import Log
from sinkhole.policy.activity import Activity
from sinkhole.policy.groups import Scope, parse_client
from sinkhole.protocol.client_claim import ClientClaim, read_claim
from sinkhole.resolver.query import Client
from sinkhole.resolver.who import Who
from sinkhole.transport.activities import Activities
from sinkhole.transport.bucket import Bucket
from sinkhole.transport.datagram import Host
from sinkhole.transport.entry import Entry
from sinkhole.transport.quiet import QuietLog
from sinkhole.transport.recent import Recent
from sinkhole.transport.table import Table

MAX_CLIENTS: Final = 65_536
"""Clients remembered, about 50 MB at most. A flood of forged addresses replaces those that no longer ask."""
_IPV6_PREFIX: Final = 64
"""What one subscriber has: within it addresses are free, so a limit per address would be none."""


class ClientState:
    """What is known of one source address under the policy in force.

    Attributes:
        client: address and groups, as the resolver wants them.
        is_allowed: whether it may ask at all.
        bucket: its rate limit, shared within a /64 in IPv6; None for no limit.
        network: the address, or the /64 it is in: what counts as one client where clients are counted.
        is_forwarder: whether its EDNS options are believed.
        queries: how many it sent that were not gathered yet.
        served: what the packet cache served it since that was last counted.
        datagrams, streams: its tables in the packet cache; None until something was looked up for it there, and for
            ever if it may not ask: whoever has a table is served from it without a further look.
    """

    __slots__ = (
        "bucket", "client", "datagrams", "is_allowed", "is_forwarder", "network", "queries", "served", "streams",
    )  # fmt: skip

    def __init__(
        self, client: Client, is_allowed: bool, bucket: Bucket | None, network: str, *, is_forwarder: bool = False
    ) -> None:
        self.client = client
        self.is_allowed = is_allowed
        self.bucket = bucket
        self.network = network
        self.is_forwarder = is_forwarder
        self.queries = 0
        self.served: list[Entry] = []
        self.datagrams: Table | None = None
        self.streams: Table | None = None


class ClientGate:
    """Admits clients.

    Args:
        access: who is served, and how often.
        scope_of: the groups of an address under the policy in force; not asked where `who` is given.
        clock: monotonic seconds.
        log_clients: whether a refused address may stand in the log (the privacy setting of the records).
        max_clients: clients remembered.
        who: says who is at an address.
        forwarders: networks of forwarders whose EDNS options are believed.
        activities: where queries of clients are counted.
    """

    def __init__(
        self,
        access: AccessSettings,
        scope_of: Callable[[str], Scope],
        *,
        clock: Callable[[], float] = time.monotonic,
        log_clients: bool = True,
        max_clients: int = MAX_CLIENTS,
        who: Who | None = None,
        forwarders: Iterable[str] = (),
        activities: Activities | None = None,
    ) -> None:
        self._access = access
        self._scope_of = scope_of
        self._log_clients = log_clients
        self._log = QuietLog(Log("transport"), clock)
        self._allowed = [ipaddress.ip_network(text) for text in access.allow]
        self._exempt = [ipaddress.ip_network(text) for text in access.rate_exempt]
        self._who = who
        self._forwarders = [ipaddress.ip_network(text) for text in forwarders]
        self.activities = activities or Activities()
        gather = self.activities.gather
        self._buckets: Recent[str, Bucket] = Recent(max_clients)
        self._named: Recent[tuple[str, ClientClaim], ClientState] = Recent(max_clients, gather)
        self.clients: Recent[Host, ClientState] = Recent(max_clients, gather)

    def admit(self, host: Host) -> ClientState:
        """Return what is known of a source address."""
        return self.clients.get(host) or self._meet(host)

    def named(self, state: ClientState, options: Iterable[tuple[int, bytes]]) -> ClientState:
        """Return the client that a forwarder asks for; the forwarder itself where its options name nobody."""
        claim = read_claim(options)
        if claim is None or self._who is None:
            return state
        key = (state.client.address, claim)
        named = self._named.get(key)
        if named is None:
            named = ClientState(self._who.named(state.client.address, claim), True, None, state.network)
            self._named.put(key, named)
            self._note_new(named.client)
        return named

    def forget_scopes(self) -> None:
        """Look up the groups of every client anew: the policy has changed. Rate limits stay as they are."""
        self.clients.clear()
        self._named.clear()

    def forget(self, addresses: Set[str]) -> None:
        """Look up the groups of some clients anew: they are others than was known."""
        for states in (self.clients, self._named):
            states.discard(lambda state: state.client.address in addresses)

    def count_activities(self, limit: int, *, at_once: bool = False) -> list[Activity]:
        """Return at most `limit` rows of who asked how often; `at_once`: of all up to now."""
        if self.activities.begin_round() or at_once:
            for states in (self.clients, self._named):
                self.activities.gather(states.values())
        return self.activities.drain(limit)

    def report_refused(self, state: ClientState) -> None:
        """Log that someone was refused, at most once a minute."""
        client = state.client.address if self._log_clients else "-"
        self._log.warning("client.refused", client=client, help="access.allow")

    def _meet(self, host: Host) -> ClientState:
        address = parse_client(host if isinstance(host, str) else str(ipaddress.ip_address(host)))
        if address is None:
            raise ListenError(f"client address: wanted IPv4 or IPv6; found {host!r}")
        text = str(address)
        network = text
        if address.version == 6:
            network = str(ipaddress.ip_network((text, _IPV6_PREFIX), strict=False))
        bucket = None
        if self._access.rate and not any(address in exempt for exempt in self._exempt):
            bucket = self._buckets.get(network)
            if bucket is None:
                bucket = Bucket(self._access.rate, self._access.burst)
                self._buckets.put(network, bucket)
        is_allowed = any(address in allowed for allowed in self._allowed)
        client = Client(text, self._scope_of(text)) if self._who is None else self._who.at(text)
        is_forwarder = any(address in trusted for trusted in self._forwarders)
        state = ClientState(client, is_allowed, bucket, network, is_forwarder=is_forwarder)
        self.clients.put(host, state)
        if is_allowed:
            self._note_new(client)
        return state

    def _note_new(self, client: Client) -> None:
        if self._who is not None and client.behind is None and self._who.is_wanted(client.address):
            self.activities.note_new(client.address)
