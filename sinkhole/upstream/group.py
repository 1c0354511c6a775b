"""The upstreams of one zone: whom to ask first, and whom next when that fails."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Literal

from sinkhole.errors import UpstreamError
from sinkhole.log import Log
from sinkhole.protocol.message import Message
from sinkhole.protocol.question import Question
from sinkhole.protocol.types import Rcode
from sinkhole.upstream.ahead import Ahead, frame_for
from sinkhole.upstream.ask import Ask, Budget, Packets
from sinkhole.upstream.failure import UpstreamFailure, UpstreamTimeout
from sinkhole.upstream.flight import Outcome
from sinkhole.upstream.health import Fault
from sinkhole.upstream.server import Server
from sinkhole.upstream.task import in_a_task
from sinkhole.upstream.usable import is_usable, race

Strategy = Literal["fastest", "ordered", "race"]

_PROBE_PACKETS: Final = 3
_RACERS: Final = 2
_log = Log("upstream")


class Group:
    """Ask one of several upstreams, and others when it fails.

    Args:
        servers: in configured order.
        strategy: `ordered`: the first that works; `fastest`: by round trip time; `race`: the two fastest at once.
        tries: tries for one question, over all servers.
        timeout: seconds one try may take.
        most_waiting: queries that may wait for one server while there is another.
        probe: question that tells whether a server works.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        strategy: Strategy,
        *,
        tries: int,
        timeout: float,
        most_waiting: int,
        probe: Question,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.servers = tuple(servers)
        self._strategy = strategy
        self._tries = tries
        self._timeout = timeout
        self._most_waiting = most_waiting
        self._probe_ask = Ask(probe)
        self._clock = clock
        self._probes: set[asyncio.Task[None]] = set()

    async def ask(self, ask: Ask, budget: Budget, ahead: Ahead | None = None) -> Message:
        """Return the first usable answer; if there is none but servers said SERVFAIL, that.

        Args:
            ask: the question.
            budget: what it may cost.
            ahead: the first try, where it was made already.

        Raises:
            UpstreamTimeout: silence, or refusals, from all that were asked.
            UpstreamFailure: other failures.
        """
        if ahead is None:
            self._probe_where_due()
            first = await self._ask_first(ask, budget)
        else:
            first = _Try(ahead.server, ahead.started, ahead.message())
        if first is not None and first.is_good:
            self._note(first)
            return first.outcome  # type: ignore[return-value] # it is good
        await in_a_task()
        return await self._ask_on(ask, budget, first)

    def begin(self, ahead: Ahead, qtype: int) -> bool:
        """Send a question to the best server, in the way that costs least; return False if it takes another."""
        servers = self.servers
        if len(servers) == 1:
            server = servers[0]
        elif not servers or self._strategy == "race":
            return False
        else:
            self._probe_where_due()
            server = self._ranked()[0]
        ahead.server = server
        head, tail = frame_for(qtype)
        return server.put(ahead, head, tail, ahead.started, self._timeout)

    def answered(self, ahead: Ahead) -> None:
        """Note that a question that was sent ahead has got its answer."""
        self._note_good(ahead.server, ahead.started)

    async def _ask_first(self, ask: Ask, budget: Budget) -> "_Try | None":
        """Ask the best server in the way that costs least; None if it has to be asked another way."""
        if not self.servers or (self._strategy == "race" and len(self.servers) > 1):
            return None
        server = self._ranked()[0]
        started = self._clock()
        try:
            flight = server.begin(ask, budget, timeout=self._timeout)
        except UpstreamError as error:
            return _Try(server, started, error)
        if flight is None:
            return None
        server.waiting += 1
        try:
            return _Try(server, started, await flight)
        except UpstreamError as error:
            return _Try(server, started, error)
        finally:
            server.waiting -= 1

    async def _ask_on(self, ask: Ask, budget: Budget, first: "_Try | None") -> Message:
        """Ask one server after the other; `first` says who was asked already, and what came of it."""
        tried: Counter[Server] = Counter()
        unwilling: set[Server] = set()
        servfail: Message | None = None
        failure: UpstreamError = UpstreamTimeout("no upstream is known")
        left = self._tries
        while left > 0:
            if first is not None:
                left -= 1
                tried[first.server] += 1
                outcomes = [(first.server, await self._try(first.server, ask, budget, first))]
                first = None
            else:
                # Whoever was asked least comes next; the sort is stable, so the order of preference decides the rest.
                candidates = sorted((s for s in self._ranked() if s not in unwilling), key=lambda server: tried[server])
                if not candidates:
                    break
                racers = min(_RACERS if self._strategy == "race" and left == self._tries else 1, len(candidates), left)
                left -= racers
                tried.update(candidates[:racers])
                outcomes = await self._first_usable(candidates[:racers], ask, budget)
            for server, outcome in outcomes:
                if isinstance(outcome, UpstreamError):
                    failure = outcome
                elif is_usable(outcome):
                    return outcome
                else:
                    unwilling.add(server)
                    if outcome.rcode == Rcode.SERVFAIL:
                        servfail = outcome
                    elif outcome.rcode == Rcode.REFUSED:
                        failure = UpstreamTimeout("the upstreams refuse this question")
                    else:
                        failure = UpstreamFailure("the upstreams cannot answer this question")
        if servfail is not None:
            return servfail
        raise failure

    async def close(self) -> None:
        """Stop the probes and close all connections."""
        for task in self._probes:
            task.cancel()
        await asyncio.gather(*self._probes, return_exceptions=True)
        for server in self.servers:
            await server.close()

    async def _first_usable(self, servers: Sequence[Server], ask: Ask, budget: Budget) -> list[tuple[Server, Outcome]]:
        """Ask all of `servers` at once, and stop at the first usable answer, which then is the last of the list."""
        if len(servers) == 1:
            return [(servers[0], await self._try(servers[0], ask, budget))]
        return await race({asyncio.ensure_future(self._try(server, ask, budget)): server for server in servers})

    async def _try(self, server: Server, ask: Ask, budget: Budget, first: "_Try | None" = None) -> Outcome:
        started = self._clock() if first is None else first.started
        try:
            sent = None if first is None else first.outcome
            outcome: Outcome = await server.ask(ask, budget, timeout=self._timeout, first=sent)
        except UpstreamError as error:
            outcome = error
        self._note(_Try(server, started, outcome))
        return outcome

    def _note(self, done: "_Try") -> None:
        """Learn from a try how the server is."""
        health, outcome = done.server.health, done.outcome
        if done.is_good:
            self._note_good(done.server, done.started)
        elif health.failed(Fault.NO_ANSWER if isinstance(outcome, UpstreamError) else Fault.BAD_ANSWER):
            reason = outcome if isinstance(outcome, UpstreamError) else f"rcode {outcome.rcode}"
            _log.warning("upstream.down", upstream=done.server.address, reason=reason)

    def _note_good(self, server: Server, started: float) -> None:
        if server.health.answered(started):
            _log.info("upstream.up", upstream=server.address)

    def _ranked(self) -> Sequence[Server]:
        if len(self.servers) == 1:
            return self.servers
        servers = list(self.servers)
        if self._strategy != "ordered":
            servers.sort(key=lambda server: server.health.cost)
        # Stable again: those that are down, or drowned in waiting queries, come last, but they do come.
        servers.sort(key=lambda server: server.health.is_down or server.waiting >= self._most_waiting)
        return servers

    def _probe_where_due(self) -> None:
        """Probe what no query would reach by itself: servers that are down, and those whose speed is unknown."""
        if len(self.servers) < 2:
            return
        for server in self.servers:
            wants_speed = self._strategy != "ordered"
            if (server.health.is_down or wants_speed) and server.health.is_probe_due:
                server.health.probing()
                task = asyncio.get_running_loop().create_task(self._probe(server))
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)

    async def _probe(self, server: Server) -> None:
        await self._try(server, self._probe_ask, Budget(Packets(_PROBE_PACKETS), 2 * self._timeout, self._clock))


class _Try:
    """A server that was asked, when that began, and what came of it."""

    __slots__ = ("is_good", "outcome", "server", "started")

    def __init__(self, server: Server, started: float, outcome: Outcome) -> None:
        self.server = server
        self.started = started
        self.outcome = outcome
        self.is_good = isinstance(outcome, Message) and is_usable(outcome)
