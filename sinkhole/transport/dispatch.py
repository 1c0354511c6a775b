"""What happens to one query between its arrival and its reply, whatever carried it.

The order: the client gate, the packet cache, then parsing, what is never forwarded, and the resolver's chain. What the
client sent is captured first; the reply is fitted to it last (size, OPT, DO), so that the chain need not know it.

A listener calls `tick` once per turn, `at_hand` once per batch or `one_at_hand` for each of few datagrams, and
`datagram` for those that have no reply. Only what must wait comes back as a coroutine, which the listener makes a task
of.
"""

import time
from collections.abc import Callable, Coroutine, Iterable, Set
from typing import Any, Final

from sinkhole.config.schema import TransportSettings
from sinkhole.log import Log
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS, BadQuery, Silence, read_query
from sinkhole.protocol.reply import Ede, ReplyBody, write_error
from sinkhole.protocol.types import EdeCode, Rcode
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.resolver.steps import Done
from sinkhole.resolver.straight import Straight
from sinkhole.transport.blocked_replies import BlockedReplies
from sinkhole.transport.datagram import Host
from sinkhole.transport.finisher import NEVER, Finisher
from sinkhole.transport.fit import truncated_reply
from sinkhole.transport.gate import ClientGate, ClientState
from sinkhole.transport.later import Begun, Later, StraightLater
from sinkhole.transport.moments import Moments
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.plain_forms import PlainForms
from sinkhole.transport.quick import Asked, Missed, Quick
from sinkhole.transport.quiet import QuietLog
from sinkhole.transport.served import Served
from sinkhole.transport.table import Table
from sinkhole.transport.unforwarded import Unforwarded

Reply = bytes | None
"""Octets to send, or None for silence."""
Outcome = Reply | Coroutine[Any, Any, bytes]
"""A reply at hand, or one to wait for."""

_QR: Final = 0x80


class Dispatch:
    """Answers queries.

    Args:
        gate: who may ask.
        packet_cache: finished replies; emptied here whenever the policy in the box is another, or what it says ends: at
            an expiry, at the edge of a schedule, and where the clock is set back over one.
        handler: the resolver's chain.
        policy_box: where the policy in force is found.
        hits: where replies served by the packet cache are counted; the chain counts its own.
        settings: limits of the transports.
        at_once: answers what needs no waiting, else gives None.
        begin: the same for datagrams, but goes on with the others and tells of the answer later; None: `at_once`.
        straight: does the same as `begin` for most of them, in less time; None: nothing does.
        local: names at or below which a name may be answered before policy is asked; None: any name may be.
        slip: each n-th rate-limited datagram gets TC=1 (`access.slip`).
        clock: monotonic seconds.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        gate: ClientGate,
        packet_cache: PacketCache,
        handler: Handler,
        policy_box: PolicyBox,
        hits: Hits,
        settings: TransportSettings,
        *,
        at_once: Callable[[Query], Answer | None] = lambda query: None,
        begin: Callable[[Query, Done], Answer | None] | None = None,
        straight: Straight | None = None,
        local: Iterable[bytes] | None = None,
        slip: int = 2,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._gate = gate
        self._clients = gate.clients
        self._cache = packet_cache
        self._handler = handler
        self._at_once = at_once
        self._begin_chain = begin
        self._hits = hits
        self._settings = settings
        self._slip = slip
        self._blocked = BlockedReplies(local)
        self._straight = straight
        self._forms = PlainForms(settings)
        self._unforwarded = Unforwarded(settings.chaos_version)
        self.log = QuietLog(Log("transport"), clock)
        self._served = Served(hits, wall)
        self._quick = Quick(
            gate.clients, packet_cache, self._blocked, self._served, hits, clock=clock, wall=wall, log=self.log
        )
        self._moments = Moments(wall)
        self._finisher = Finisher(
            policy_box, packet_cache, hits, self._blocked, settings, self.log, clock=clock, wall=wall
        )

    def tick(self) -> None:
        """Take the time and notice a new policy; to be called before each batch of queries."""
        self._quick.tick()
        self._moments.tick()
        if self._finisher.is_over:
            self._follow_policy()

    def at_hand(self, keys: list[bytes], hosts: list[Host]) -> tuple[list[bytes | None], list[Missed]]:
        """Answer those of a batch of datagrams whose reply is at hand; see `Quick.answer`."""
        return self._quick.answer(keys, hosts, self._finisher.policy)

    def one_at_hand(self, key: bytes, host: Host) -> bytes | Asked | None:
        """Answer one datagram if its reply is at hand; see `Quick.answer_one`."""
        return self._quick.answer_one(key, host, self._finisher.policy)

    def datagram(
        self, wire: bytes, host: Host, asked: Asked | None = None, key: bytes = b"", *, may_begin: bool = True
    ) -> Outcome | Begun:
        """Answer a datagram; never raises.

        Args:
            wire: the whole of it.
            host: who sent it.
            asked: what was found out about it while it was found that no reply is at hand.
            key: what of it is after the id, where that is at hand.
            may_begin: whether it may be begun without a task, which nothing but its end can end.
        """
        try:
            if len(wire) < HEADER or wire[2] & _QR:
                return None
            state = self._gate.admit(host)
            if state.bucket is not None and not state.bucket.take(self._quick.now):
                is_answered = state.is_allowed and state.bucket.slips(self._slip, self._quick.now)
                return self._truncate(wire) if is_answered else None
            if state.datagrams is None and state.is_allowed:
                state.datagrams = self._cache.table_of(state.client.scope, is_stream=False)
            key = key or wire[2:]
            return self._begin(wire, key, state, state.datagrams, asked, is_stream=False, may_begin=may_begin)
        except Exception:
            self.log.exception("query.failed")
            return None

    def admit_stream(self, host: str) -> str | None:
        """Return what counts as one client for a stream from `host`, or None if it may not ask."""
        self.tick()
        state = self._gate.admit(host)
        if state.is_allowed:
            return state.network
        self._gate.report_refused(state)
        return None

    def stream(self, wire: bytes, host: str) -> Outcome:
        """Answer a message of a stream; never raises.

        There is no rate limit: the address is proven, limited clients are sent here by TC=1, and a stream is slowed
        down by not reading from it.
        """
        try:
            state = self._gate.admit(host)
            if state.streams is None and state.is_allowed:
                state.streams = self._cache.table_of(state.client.scope, is_stream=True)
            outcome = self._begin(wire, wire[2:], state, state.streams, None, is_stream=True)
            if isinstance(outcome, Begun):
                raise AssertionError("only datagrams are begun without a task")
            return outcome
        except Exception:
            self.log.exception("query.failed")
            return None

    def settle(self) -> None:
        """Let served replies be counted soon; to be called after each batch of queries."""
        self._served.settle()

    def flush_hits(self) -> None:
        """Count what the packet cache served until now; for the end, and for whoever hands the hits over."""
        self._served.flush()

    @property
    def given(self) -> tuple[int, int]:
        """How many replies the packet cache gave, as far as they are counted, and how many were made of pieces."""
        return self._served.total, self._served.made

    def forget_clients(self, addresses: Set[str]) -> None:
        """Look up the groups of some clients anew: they are others than was known."""
        self._served.flush()
        self._gate.forget(addresses)

    def _follow_policy(self) -> None:
        """Begin a period: forget all that the policy before this moment said."""
        self._served.flush()
        self._finisher.begin_period()
        self._gate.forget_scopes()

    def _begin(
        self, wire: bytes, key: bytes, state: ClientState, table: Table | None, asked: Asked | None,
        *, is_stream: bool, may_begin: bool = False,
    ) -> Outcome | Begun:  # fmt: skip
        if table is not None:
            entry = self._cache.look_up(table, key, self._quick.now)
            if entry is not None:
                self._served.add(entry, state)
                return wire[:2] + entry.tail
            if asked is None or self._blocked.learned != self._quick.learned:
                found = self._quick.make(key, state, table, self._finisher.policy, None)
                if isinstance(found, bytes):
                    return wire[:2] + found
                asked = found
            if may_begin and asked is not None:
                begun = self._go_straight(wire, key, asked, state, table)
                if begun is not None:
                    return begun
        try:
            query = read_query(wire)
        except Silence:
            return None
        except BadQuery as error:
            return write_error(error, self._settings.max_payload)
        if table is None:
            self._gate.report_refused(state)
            return self._finisher.fit(query, ReplyBody(Rcode.REFUSED, ede=(Ede(EdeCode.PROHIBITED),)), is_stream)
        if state.is_forwarder and query.edns is not None and query.edns.options:
            # Such a reply is never kept (see `Finisher`), so no other client can be given it by the packet cache.
            state = self._gate.named(state, query.edns.options)
        state.queries += 1
        body = self._unforwarded.answer(query)
        if body is not None:
            return self._finisher.fit(query, body, is_stream)
        return self._ask(wire, Query(query, state.client, is_stream, self._moments.now()), table, may_begin)

    def _ask(self, wire: bytes, asked: Query, table: Table, may_begin: bool) -> Outcome | Begun:
        """Give a query to the chain."""
        finisher = self._finisher
        try:
            if may_begin and self._begin_chain is not None:
                later = Later(finisher, wire, asked, finisher.period, table)
                answer = self._begin_chain(asked, later.done)
                if answer is None:
                    return later
            else:
                answer = self._at_once(asked)
            if answer is not None:
                return finisher.finish(wire, asked, answer, finisher.period, table)
        except Exception:
            return finisher.failed(asked)
        return self._resolve(wire, asked, table)

    def _go_straight(
        self, wire: bytes, key: bytes, asked: Asked, state: ClientState, table: Table
    ) -> StraightLater | None:
        """Begin on the straight path; None where the long way has to be taken."""
        form, (name, _, domain, name_key) = asked
        straight, begin, client = self._straight, self._begin_chain, state.client
        # Where verdicts may end by themselves, so must TTLs: that takes the long way.
        if straight is None or begin is None or not name:
            return None
        if self._finisher.ends != NEVER or client.scope.client is not None:
            return None
        plain = self._forms.find(wire, form)
        if plain is None or self._blocked.may_be_local(domain):
            return None
        end = HEADER + len(name) + TYPE_AND_CLASS
        later = StraightLater(self._finisher, wire, key, end, plain, table, client, self._moments.lately(), begin)
        if not straight.begin(later, self._quick.now, name, name_key):
            return None
        state.queries += 1
        return later

    async def _resolve(self, wire: bytes, asked: Query, table: Table) -> bytes:
        period = self._finisher.period
        try:
            return self._finisher.finish(wire, asked, await self._handler(asked), period, table)
        except Exception:
            return self._finisher.failed(asked)

    def _truncate(self, wire: bytes) -> Reply:
        """Answer a query over the rate limit; a malformed one is not worth an answer then."""
        try:
            return truncated_reply(read_query(wire), self._settings)
        except (Silence, BadQuery):
            return None
