"""Replies to datagrams that are at hand: finished ones, and those that are made of pieces; only names are parsed."""

from collections.abc import Callable
from typing import Final

from sinkhole.policy.engine import Policy
from sinkhole.resolver.hits import Hits
from sinkhole.transport.blocked_replies import BlockedReplies, Made, Measured, form_of, measure
from sinkhole.transport.bucket import Bucket
from sinkhole.transport.datagram import Host
from sinkhole.transport.entry import Entry
from sinkhole.transport.gate import ClientState
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.quiet import QuietLog
from sinkhole.transport.recent import Recent
from sinkhole.transport.served import Served
from sinkhole.transport.table import Table

Asked = tuple[bytes, Measured]
"""What `form_of` and `measure` say of a query."""
Missed = tuple[int, Asked | None]
"""The place of a datagram in its batch; and what was found out about it, None for nothing."""
_NO_ID: Final = b"\0\0"


class Quick:
    """Gives replies that are at hand.

    Args:
        clients: who was admitted.
        packet_cache: finished replies.
        blocked: makes replies of pieces.
        served: where replies of the packet cache are counted.
        hits: where replies made of pieces are counted.
        clock: monotonic seconds.
        wall: seconds since the epoch.
        log: where failures are told.

    Attributes:
        now: monotonic seconds of this batch.
        learned: `BlockedReplies.learned` when a reply at hand was last looked for.
    """

    def __init__(
        self, clients: Recent[Host, ClientState], packet_cache: PacketCache, blocked: BlockedReplies, served: Served,
        hits: Hits, *, clock: Callable[[], float], wall: Callable[[], float], log: QuietLog,
    ) -> None:  # fmt: skip
        self._clients = clients
        self._cache = packet_cache
        self._blocked = blocked
        self._served = served
        self._touched = served.touched
        self._hits = hits
        self._clock = clock
        self._wall = wall
        self._log = log
        self._second: int | None = None
        self.now = clock()
        self.learned = 0

    def tick(self) -> None:
        """Take the time; to be called before each batch."""
        self.now = self._clock()
        self._second = None

    def answer(self, keys: list[bytes], hosts: list[Host], policy: Policy) -> tuple[list[bytes | None], list[Missed]]:
        """Answer those of a batch of datagrams whose reply is at hand and whose client may have it.

        Args:
            keys: of each datagram the octets after its id.
            hosts: who sent it.
            policy: that in force.

        Returns:
            For each the octets of the reply after the id, or None; and those that have none.
        """
        tails, places = self._finished(keys, hosts)
        missed: list[Missed] = []
        self.learned = self._blocked.learned
        for place in places:
            try:
                asked = self._look(keys[place], self._clients.young.get(hosts[place]), policy)
            except Exception:  # the edge of a query: the others of the batch have nothing to do with it
                self._log.exception("query.failed")
                continue
            if isinstance(asked, bytes):
                tails[place] = asked
            else:
                missed.append((place, asked))
        return tails, missed

    def answer_one(self, key: bytes, host: Host, policy: Policy) -> bytes | Asked | None:
        """Answer one datagram as `answer` does a batch.

        Returns:
            The octets of the reply after the id, none of them where that failed; or what was found out about the query,
            None for nothing.
        """
        state = self._clients.young.get(host)
        self.learned = self._blocked.learned
        try:
            if state is not None and state.datagrams is not None:
                entry = self._kept(state.datagrams, key, state.bucket)
                if entry is not None:
                    self._served.add(entry, state)
                    return entry.tail
            return self._look(key, state, policy)
        except Exception:  # the edge of a query: the next has nothing to do with it
            self._log.exception("query.failed")
            return b""

    def _look(self, key: bytes, state: ClientState | None, policy: Policy) -> bytes | Asked | None:
        """Return the reply to a query, after the id, made of pieces; or what was found out about it."""
        table = None if state is None else state.datagrams
        if state is None or table is None or not table.forms:
            return None
        bucket = state.bucket
        if bucket is not None and bucket.is_empty(self.now):  # who asks too much costs no more than a look
            return None
        return self.make(key, state, table, policy, bucket)

    def make(
        self, key: bytes, state: ClientState, table: Table, policy: Policy, bucket: Bucket | None
    ) -> bytes | Asked | None:
        """Return the reply to a query, after the id, made of pieces; or what was found out about it.

        Args:
            key: the query's octets after the id.
            state: of the client.
            table: of its scope and the kind of transport.
            policy: that in force.
            bucket: out of which a token is to be taken for the reply; None where that is none, or done.
        """
        measured = measure(key)
        form = form_of(key, measured[0])
        made = self._blocked.find(key, form, measured, table, policy, state.client.scope, self.now)
        if made is None:
            return form, measured
        return self._give(key, state, table, made) if bucket is None or bucket.take(self.now) else None

    def _finished(self, keys: list[bytes], hosts: list[Host]) -> tuple[list[bytes | None], list[int]]:
        """Take replies out of the packet cache: two look-ups a datagram, nothing created.

        Returns:
            For each the octets of the reply after the id, or None; and the places of those that have none.
        """
        clients = self._clients.young
        tails: list[bytes | None] = []
        missed: list[int] = []
        before: Host | None = None
        table: Table | None = None
        for place in range(len(keys)):  # not `zip`, which compiled makes a tuple for each
            key, host = keys[place], hosts[place]
            if before is None or host != before:  # who sends one datagram often sends the next
                before = host
                found = clients.get(host)
                if found is None:
                    table = None
                else:
                    state, table, bucket, served = found, found.datagrams, found.bucket, found.served
            if table is not None:
                entry = self._kept(table, key, bucket)
                if entry is not None:
                    if not served:
                        self._touched.append(state)
                    served.append(entry)
                    tails.append(entry.tail)
                    continue
            missed.append(place)
            tails.append(None)
        self._served.pending += len(tails) - len(missed)
        return tails, missed

    def _kept(self, table: Table, key: bytes, bucket: Bucket | None) -> Entry | None:
        """Return the entry of the packet cache whose reply the client may have now, for which a token is taken."""
        entry = table.young.get(key)
        if entry is None:
            return None
        if entry.due <= self.now:
            entry = None if bucket is not None and bucket.is_empty(self.now) else self._renewed(table, key, entry)
        return entry if entry is not None and (bucket is None or bucket.take(self.now)) else None

    def _renewed(self, table: Table, key: bytes, entry: Entry) -> Entry | None:
        """Return an entry whose second is over with its TTLs counted down, or None."""
        try:
            return self._cache.renewed(table, key, entry, self.now)
        except Exception:  # the edge of a query, as in `answer`
            self._log.exception("query.failed")
            return None

    def _give(self, key: bytes, state: ClientState, table: Table, made: Made) -> bytes:
        """Count a reply made of pieces, and keep it if it was asked for before: most such names never come again.

        Args:
            key: the query's octets after the id.
        """
        name, domain, tail, pieces = made
        state.queries += 1
        self._served.made += 1
        if pieces.is_recorded:
            second = self._second
            if second is None:
                second = self._second = int(self._wall())
            self._hits.add_new(state.client.address, name, domain, pieces.qtype, pieces.verdict, second)
        if self._cache.doorkeeper.has_seen(key):
            wire = _NO_ID + tail
            entry = Entry(wire, self._clock(), pieces.ttl, name, pieces.qtype, pieces.verdict, pieces.is_recorded)
            self._cache.store(table, key, entry)
        return tail
