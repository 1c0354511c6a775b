"""The straight path: what the chain does with most questions that no cache can answer, done at once.

Most are for addresses of a name that no rule is about, and an upstream answers with nothing but addresses. Of such a
question all that the stages do is known before it leaves: it is judged, sent, its answer looked at, kept and counted.
Whatever turns out to be anything else goes through the chain after all, with what the upstream said already in hand.
What is said on either way is the same (tests/transport/test_straight.py holds them side by side); decision 28.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sinkhole.policy.engine import Policy
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.addresses import AddressSet
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QClass, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.answer_store import Key
from sinkhole.resolver.cache import Cache
from sinkhole.resolver.coalesce import Coalesce
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client
from sinkhole.resolver.rebinding import may_be_private
from sinkhole.resolver.record import Record
from sinkhole.upstream.ahead import Ahead


class Forerunner(Protocol):
    """What the straight path needs of a forwarder."""

    def begin(self, name: bytes, key: bytes, qtype: int, client: str, land: Callable[[Ahead], None]) -> bool:
        """Send a question for addresses, if that needs no more than one datagram."""

    def answered(self, ahead: Ahead) -> None:
        """Note that it has got its addresses."""


class Straight:
    """Asks for addresses on the straight path.

    Args:
        box: where the policy in force is.
        cache, coalesce, record: the stages of the chain, whose work is done here too.
        forerunner: asks upstreams.
        guards_private: whether private addresses are taken out of answers.
    """

    def __init__(
        self, box: PolicyBox, cache: Cache, coalesce: Coalesce, record: Record, forerunner: Forerunner,
        *, guards_private: bool,
    ) -> None:  # fmt: skip
        self.box = box
        self.cache = cache
        self.coalesce = coalesce
        self.record = record
        self.forerunner = forerunner
        self.guards_private = guards_private

    def begin(
        self, name: bytes, qtype: int, client: Client, when: datetime, now: float, room: int,
        done: "Callable[[Course], None]",
    ) -> bool:  # fmt: skip
        """Send a question, if nothing but its answer is missing; return False if it has to go the long way.

        Args:
            name: in the client's letter case; none that is answered here.
            qtype: A or AAAA.
            client: who asks.
            when: UTC.
            now: monotonic seconds.
            room: octets that the answers may have.
            done: told of the end, whatever it is.
        """
        policy, key = self.box.current, name.lower()
        place = (key, qtype, int(QClass.IN), False, False)
        if place in self.coalesce.flights or not self.cache.is_unknown(place, now):
            return False
        if policy.judges_addresses(client.scope):
            return False
        verdict = policy.decide(key, qtype, client.scope, when, client=client.address)
        if verdict.is_blocked:
            return False
        course = Course(self, name, qtype, client, when, verdict, place, room, done)
        if not self.forerunner.begin(name, key, qtype, client.address, course.land):
            return False
        self.coalesce.flights[place] = course
        return True


class Course:
    """One question on the straight path.

    Attributes:
        client, when: who asked, and when.
        verdict: what policy said.
        ahead: the question as it was sent, from when something came of it.
        reusable: seconds the reply may be repeated before the chain must see the question again.
    """

    __slots__ = (
        "_addresses", "_done", "_future", "_place", "_policy", "_room", "_straight", "ahead", "client", "name", "qtype",
        "reusable", "verdict", "when",
    )  # fmt: skip

    def __init__(
        self, straight: Straight, name: bytes, qtype: int, client: Client, when: datetime, verdict: Verdict,
        place: Key, room: int, done: "Callable[[Course], None]",
    ) -> None:  # fmt: skip
        self._straight = straight
        self.name = name
        self.qtype = qtype
        self.client = client
        self.when = when
        self.verdict = verdict
        self._place = place
        self._room = room
        self._done = done
        self._policy = straight.box.current
        self._future: asyncio.Future[Answer | None] | None = None
        self._addresses: AddressSet | None = None
        self.ahead: Ahead
        self.reusable = 0.0

    def land(self, ahead: Ahead) -> None:
        """Tell that something came of it, whatever it is."""
        self.ahead = ahead
        del self._straight.coalesce.flights[self._place]
        self._done(self)

    def take(self) -> AddressSet | None:
        """Return the addresses that came, kept and counted; None where the question has to go the long way."""
        straight, outcome = self._straight, self.ahead.outcome
        try:
            if isinstance(outcome, AddressSet) and self._is_fit(outcome):
                straight.forerunner.answered(self.ahead)
                self.reusable = straight.cache.keep_addresses(self._place, self.name, outcome)
                straight.record.note_addresses(self._place[0], self.qtype, self.verdict, self.client, self.when)
                self._addresses = outcome
        finally:
            if self._future is not None:
                self._future.set_result(self._answer())
        return self._addresses

    def joined(self) -> "asyncio.Future[Answer | None]":
        """Return what a second query for the same waits for; it gives None where that has to ask by itself."""
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        return self._future

    def changed_policy(self) -> Policy | None:
        """Return the policy in force if it is another than when the question was sent, by which the client may be in
        other groups."""
        policy = self._straight.box.current
        return None if policy is self._policy else policy

    def _is_fit(self, found: AddressSet) -> bool:
        straight = self._straight
        if straight.box.current is not self._policy or len(found.octets) > self._room:
            return False
        if not straight.cache.may_keep(found):
            return False
        return not (straight.guards_private and may_be_private(found.addresses()))

    def _answer(self) -> Answer | None:
        if self._addresses is None:
            return None
        body = ReplyBody(Rcode.NOERROR, answer=self._addresses.records(self.name, self.qtype))
        return Answer(body, None, None, source=Source.UPSTREAM)
