"""Forward questions to the upstreams of their zone: the one thing this package does for the rest of the program."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from sinkhole.config.schema import UpstreamSettings
from sinkhole.protocol.message import Message
from sinkhole.protocol.names import ROOT, parents_of
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import QClass, QType
from sinkhole.upstream.address import UpstreamAddress
from sinkhole.upstream.ahead import Ahead, Lander
from sinkhole.upstream.ask import Ask, Budget, Packets
from sinkhole.upstream.bootstrap import Bootstrap
from sinkhole.upstream.failure import UpstreamBusy
from sinkhole.upstream.group import Group
from sinkhole.upstream.limits import InFlight, zone_of
from sinkhole.upstream.locator import Locator
from sinkhole.upstream.plan import Plan, read_plan
from sinkhole.upstream.server import Server, plain_client, secure_client
from sinkhole.upstream.system import RESOLV_CONF, SystemWatch
from sinkhole.upstream.tls import Trust

LONGEST_WAIT: Final = 8.0
"""Seconds for one question, whatever the settings say: no stub waits longer than ten."""


class Forwarder:
    """Answer questions by asking upstreams.

    Args:
        settings: the upstreams and how to ask them.
        listen: addresses this server listens on, which are never asked.
        resolv_conf: where the system's resolvers stand.
        bootstrap: resolvers for host names of upstreams; None: those of the settings, or the system's.
        clock: monotonic seconds.

    Raises:
        ConfigError: settings are wrong, with all mistakes.
    """

    def __init__(
        self,
        settings: UpstreamSettings,
        *,
        listen: Sequence[str] = (),
        resolv_conf: Path = RESOLV_CONF,
        bootstrap: Sequence[UpstreamAddress] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._listen = tuple(listen)
        self._clock = clock
        self._limits = InFlight(settings)
        self._trust = Trust(settings.ca_file)
        plan = read_plan(settings, listen, resolv_conf, bootstrap)
        self._bootstrap = Bootstrap(self._resolvers, settings.timeout, clock)
        self._bootstrap_watch = None if plan.bootstrap else SystemWatch(listen, resolv_conf, clock)
        self._bootstrap_servers = tuple(map(self._server, plan.bootstrap))
        self._watch = None if settings.servers else SystemWatch(listen, resolv_conf, clock)
        self._groups = self._zones(plan)
        self._trust_ad = settings.trust_ad
        self._seconds = min(LONGEST_WAIT, settings.tries * settings.timeout)
        # The group of all names, where neither zones nor a change of the system's resolvers can make it another.
        self._alone = self._groups[ROOT] if len(self._groups) == 1 and self._watch is None else None

    def begin(self, name: bytes, key: bytes, qtype: int, client: str, lander: Lander, now: float) -> bool:
        """Send a question, if that takes no more than a datagram to one upstream; return whether it did.

        Args:
            name: in the client's letter case.
            key: the same, folded.
            qtype: its type.
            client: its address, for limits only.
            lander: told of the end, whatever it is.
            now: when it came, in monotonic seconds of the clock that this has, too.
        """
        group = self._alone
        if group is None or self._trust_ad:
            return False
        try:
            of_client, of_zone = self._limits.take(client, zone_of(key))
        except UpstreamBusy:
            return False
        ahead = Ahead(name, now, self._limits, of_client, of_zone)
        # What could not even leave has failed already, and nobody will be told.
        if not group.begin(ahead, qtype) or ahead.outcome is not None:
            self._limits.give_back(of_client, of_zone)
            return False
        ahead.wait(lander)
        return True

    def answered(self, ahead: Ahead) -> None:
        """Note that what was sent ahead has got its answer, which is used as it is."""
        if self._alone is not None:
            self._alone.answered(ahead)

    async def resolve(
        self, question: Question, *, do: bool, cd: bool, client: str, packets: Packets | None = None,
        ahead: Ahead | None = None,
    ) -> Message:  # fmt: skip
        """Return the upstreams' answer: any response code that is an answer, or their SERVFAIL.

        Args:
            question: name in the client's letter case; answers come back in it.
            do: whether DNSSEC records are wanted.
            cd: whether the client checks them itself.
            client: its address, for limits only; it is not sent on.
            packets: messages that may be sent, shared with other questions of the same query; None: a query's worth.
            ahead: the first try, where it was made already (`begin`).

        Raises:
            UpstreamBusy: too many queries are waiting.
            UpstreamTimeout: no upstream answered.
            UpstreamFailure: no upstream gave a usable answer.
        """
        key = question.key
        with self._limits.enter(client, key):
            ask = Ask(question, do, cd, self._trust_ad)
            budget = Budget(packets or Packets(), self._seconds, self._clock)
            group = self._alone or await self._group_of(key)
            if ahead is not None:
                budget.charge(ahead.started)
            message = await group.ask(ask, budget, ahead)
        # AD is the word of a stranger unless told otherwise (RFC 6840, section 5.8).
        return replace(message, ad=False) if message.ad and not self._trust_ad else message

    @property
    def servers(self) -> Iterator[Server]:
        """The upstreams there are at this moment, those of zones too."""
        for group in self._groups.values():
            yield from group.servers

    async def close(self) -> None:
        """Close all connections and stop all probes and look-ups."""
        await self._bootstrap.close()
        for group in self._groups.values():
            await group.close()
        for server in self._bootstrap_servers:
            await server.close()

    async def _group_of(self, key: bytes) -> Group:
        zone = next(name for name in parents_of(key) if name in self._groups)
        if zone == ROOT and self._watch is not None and (changed := self._watch.changed()) is not None:
            before = self._groups[ROOT]
            self._groups[ROOT] = self._group(ROOT, changed)
            await before.close()
        return self._groups[zone]

    def _zones(self, plan: Plan) -> dict[bytes, Group]:
        groups = {zone: self._group(zone, addresses) for zone, addresses in plan.zones}
        return {ROOT: self._group(ROOT, plan.servers), **groups}

    def _group(self, zone: bytes, addresses: Sequence[UpstreamAddress]) -> Group:
        return Group(
            [self._server(address) for address in addresses],
            self._settings.strategy,
            tries=self._settings.tries,
            timeout=self._settings.timeout,
            # Half for the slow one, half for the others.
            most_waiting=max(1, self._settings.max_in_flight // 2),
            probe=Question(zone, QType.NS if zone == ROOT else QType.SOA, QClass.IN),
            clock=self._clock,
        )

    def _server(self, address: UpstreamAddress) -> Server:
        locator = Locator(address, self._bootstrap.addresses_of, self._listen)
        if address.is_secure:
            client = secure_client(address, locator, self._trust)
        else:
            client = plain_client(address, locator, randomize_case=self._settings.randomize_case, clock=self._clock)
        return Server(address, client, locator, self._clock)

    def _resolvers(self) -> Sequence[Server]:
        """Return whom to ask for host names: the bootstrap resolvers, else those the system has now."""
        if self._bootstrap_watch is not None and (changed := self._bootstrap_watch.changed()) is not None:
            for server in self._bootstrap_servers:
                server.rest()
            self._bootstrap_servers = tuple(map(self._server, changed))
        return self._bootstrap_servers
