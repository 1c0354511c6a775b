"""The end of a query: the reply made of its answer, and kept for as long as policy cannot say anything else."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from sinkhole.config.schema import TransportSettings
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.names import name_to_text
from sinkhole.protocol.question import QueryMessage
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Query
from sinkhole.resolver.straight import Course
from sinkhole.transport.blocked_replies import BlockedReplies
from sinkhole.transport.entry import Entry
from sinkhole.transport.fit import cap_ttls, fit_reply
from sinkhole.transport.packet_cache import PacketCache
from sinkhole.transport.plain_forms import PlainForm
from sinkhole.transport.quiet import QuietLog
from sinkhole.transport.table import Table

NEVER: Final = float("inf")


class Finisher:
    """Makes replies of answers.

    Time has periods, in each of which verdicts stay right: a new one begins when another policy is in force, or when
    the one in force says something else by itself (an expiry, the edge of a schedule).

    Args:
        policy_box: where the policy in force is found.
        packet_cache: where replies are kept.
        hits: says what is recorded.
        blocked: learns from replies to blocked names.
        settings: limits of the transports.
        log: where failures are told.
        clock: monotonic seconds.
        wall: seconds since the epoch.

    Attributes:
        policy: that of this period.
        period: its number.
        ends: epoch seconds at which it ends by itself; `NEVER` if it does not.
    """

    def __init__(
        self, policy_box: PolicyBox, packet_cache: PacketCache, hits: Hits, blocked: BlockedReplies,
        settings: TransportSettings, log: QuietLog, *, clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._box = policy_box
        self._cache = packet_cache
        self._hits = hits
        self._blocked = blocked
        self._settings = settings
        self._log = log
        self._clock = clock
        self._wall = wall
        self.period = 0
        self.begin_period()

    @property
    def is_over(self) -> bool:
        """Whether a new period has to begin."""
        if self._box.current is not self.policy:
            return True
        return self.ends != NEVER and not self._begins <= self._wall() < self.ends

    def begin_period(self) -> None:
        """Begin a period, and forget all replies of the one before."""
        self.period += 1
        self.policy = policy = self._box.current
        self._cache.clear()
        now = self._wall()
        ends = policy.next_shared_change(datetime.fromtimestamp(now, UTC))
        self.ends = ends.timestamp() if ends is not None else NEVER
        # A clock that is set back may pass the edge before this moment once more.
        self._begins = now

    def finish(self, wire: bytes, asked: Query, answer: Answer, period: int, table: Table) -> bytes:
        """Make the reply of an answer, and keep it where it holds for others.

        Args:
            wire: the query.
            asked: the same, read.
            period: when it came.
            table: where its reply may be kept.
        """
        ends = self._end_for(asked)
        is_in_force = period == self.period and self.policy is self._box.current
        reply = self.fit(asked.message, self._until(answer.body, ends if is_in_force else 0), asked.is_stream)
        # What an old policy said, or said before its end, answers this query and no other.
        if answer.ttl and is_in_force and self._wall() < ends:
            self._keep(wire, asked, answer, reply, table, ends)
        return reply

    def keep_addresses(
        self, key: bytes, reply: bytes, form: PlainForm, course: Course, found: AddressSet, table: Table
    ) -> None:
        """Keep a set of addresses that came on the straight path, and the reply if its query came before.

        Most come once. Who comes again finds the answer, and from then on the reply.

        Args:
            key: the query after its id.
            reply: to it.
            form: of the query.
            course: the way it took.
            found: what came.
            table: where its reply is kept.
        """
        try:
            course.keep(found)
            self._store_known(key, reply, form, course, table)
        except Exception:  # the edge of a query: its reply has left
            self._log.exception("query.failed", name=name_to_text(course.name), qtype=form.qtype)

    def finish_body(
        self, wire: bytes, key: bytes, form: PlainForm, course: Course, body: ReplyBody, table: Table
    ) -> bytes:
        """Make the reply of what else came on the straight path, and keep it; see `keep_addresses`."""
        reply = self.fit(form.query(wire, course.name), body, False)
        if course.reusable:
            self._store_known(key, reply, form, course, table)
        return reply

    def failed(self, asked: Query) -> bytes:
        """At the edge of a query: whatever went wrong, it is logged, the client gets an answer, the server lives."""
        question = asked.message.question
        self._log.exception("query.failed", name=name_to_text(question.name), qtype=question.qtype)
        return self.fit(asked.message, ReplyBody(Rcode.SERVFAIL), asked.is_stream)

    def fit(self, query: QueryMessage, body: ReplyBody, is_stream: bool) -> bytes:
        """Write a reply as the client can take it."""
        return fit_reply(query, body, is_stream, self._settings)

    def _end_for(self, asked: Query) -> float:
        """Return when the policy may say something else to this client; what ends for others alone is none of it."""
        own = self.policy.next_own_change(asked.client.scope, asked.when)
        return self.ends if own is None else min(self.ends, own.timestamp())

    def _until(self, body: ReplyBody, ends: float) -> ReplyBody:
        """Let no client keep an answer longer than the policy that permits it lasts: TTLs end with it."""
        return body if ends == NEVER else cap_ttls(body, max(0, int(ends - self._wall())))

    def _keep(self, wire: bytes, asked: Query, answer: Answer, reply: bytes, table: Table, ends: float) -> None:
        """Put a reply into the packet cache, unless options make its query one of a kind (cookies, padding).

        Args:
            ends: epoch seconds until which it may be served.
        """
        message, verdict = asked.message, answer.verdict
        if not answer.ttl or (message.edns is not None and message.edns.options):
            return
        left = ends - self._wall()
        entry = self._store(
            wire[2:], reply, table, message.question.name, message.question.qtype, verdict, min(answer.ttl, left)
        )
        if answer.is_blocked and verdict is not None and left > answer.ttl:
            self._blocked.learn(
                wire, reply, table, self.policy, asked.client.scope, verdict,
                ttl=answer.ttl, ends=self._clock() + left, is_recorded=entry.is_recorded,
            )  # fmt: skip

    def _store_known(self, key: bytes, reply: bytes, form: PlainForm, course: Course, table: Table) -> None:
        """Put a reply that came on the straight path into the packet cache, if its query came before."""
        if self._cache.doorkeeper.has_seen(key):
            self._store(key, reply, table, course.name, form.qtype, course.verdict, course.reusable)

    def _store(
        self, key: bytes, reply: bytes, table: Table, name: bytes, qtype: int, verdict: Verdict | None, ttl: float
    ) -> Entry:
        """Put a reply into the packet cache for `ttl` seconds; `key` is its query after the id."""
        is_recorded = self._hits.wants(verdict)
        entry = Entry(reply, self._clock(), ttl, name.lower() if is_recorded else b"", qtype, verdict, is_recorded)
        self._cache.store(table, key, entry)
        return entry
