"""The straight path: what the chain does with most questions that no cache can answer, done at once.

Most are for addresses or service records of a name that no rule is about, and an upstream answers with them, behind
aliases that no rule is about either, or denies them. Of such a question all that the stages do is known before it
leaves, or when its answer comes: it is judged, sent, its answer looked at, kept and counted. Whatever turns out to be
anything else goes through the chain after all, with what the upstream said already in hand.
What is said on either way is the same (tests/transport/test_straight.py holds them side by side); decision 28.
"""

import asyncio
from datetime import datetime
from typing import Final

from sinkhole.errors import FormError
from sinkhole.policy.engine import Policy
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.addresses import ADDRESS_TYPES, AddressSet
from sinkhole.protocol.message import Message
from sinkhole.protocol.question import Question
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QClass, QType, Rcode
from sinkhole.resolver.answer import Answer, Source
from sinkhole.resolver.answer_store import Key, rest_of_key
from sinkhole.resolver.cache import Cache
from sinkhole.resolver.coalesce import Coalesce
from sinkhole.resolver.extract import extract_body
from sinkhole.resolver.inspection import names_in, weigh
from sinkhole.resolver.links import find_open_end
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client
from sinkhole.resolver.rebinding import is_private_record, may_be_private
from sinkhole.resolver.record import Record
from sinkhole.upstream.ahead import Ahead, Lander
from sinkhole.upstream.forwarder import Forwarder

STRAIGHT_TYPES: Final = frozenset((QType.A, QType.AAAA, QType.HTTPS))
"""What is asked for on the straight path."""
_SAYING: Final = frozenset((Rcode.NOERROR, Rcode.NXDOMAIN))
_HTTPS: Final = int(QType.HTTPS)
_REST_OF_KEY: Final = {int(qtype): rest_of_key(qtype, QClass.IN) for qtype in STRAIGHT_TYPES}


class Straight:
    """Asks on the straight path.

    Args:
        box: where the policy in force is.
        cache, coalesce, record: the stages of the chain, whose work is done here too.
        forwarder: asks upstreams.
        guards_private: whether private addresses are taken out of answers.
        takes_services: whether answers with service records are left as they are.
    """

    def __init__(
        self, box: PolicyBox, cache: Cache, coalesce: Coalesce, record: Record, forwarder: Forwarder,
        *, guards_private: bool, takes_services: bool,
    ) -> None:  # fmt: skip
        self.box = box
        self.cache = cache
        self.coalesce = coalesce
        self.record = record
        self.forwarder = forwarder
        self.guards_private = guards_private
        self._takes_services = takes_services

    def begin(self, course: "Course", now: float, name: bytes, key: bytes) -> bool:
        """Send a question, if nothing but its answer is missing; return False if it has to go the long way.

        Args:
            course: of a name that is not answered here.
            now: monotonic seconds.
            name: its name, folded.
            key: of it (`reversed_key`).
        """
        policy, client, qtype = self.box.current, course.client, course.qtype
        place = name + _REST_OF_KEY[qtype]
        flights = self.coalesce.flights
        if place in flights or not self.cache.is_unknown(place, now):
            return False
        if policy.judges_addresses(client.scope) or (qtype == _HTTPS and not self._takes_services):
            return False
        verdict = policy.decide(name, qtype, client.scope, course.when, client=client.address, key=key)
        if verdict.is_blocked or not self.forwarder.begin(course.name, name, qtype, client.address, course, now):
            return False
        course.set_out(self, policy, verdict, place, name)
        flights[place] = course
        return True


class Course(Lander):
    """One question on the straight path.

    Args:
        name: in the client's letter case.
        qtype: one of `STRAIGHT_TYPES`.
        client: who asks.
        when: UTC.
        room: octets that the answers may have.

    Attributes:
        verdict: what policy said.
        ahead: the question as it was sent, from when something came of it.
        reusable: seconds the reply may be repeated before the chain must see the question again.
    """

    __slots__ = (
        "_body", "_folded", "_future", "_place", "_policy", "_room", "_straight", "ahead", "client", "name",
        "qtype", "reusable", "verdict", "when",
    )  # fmt: skip

    def __init__(self, name: bytes, qtype: int, client: Client, when: datetime, room: int) -> None:
        self.name = name
        self.qtype = qtype
        self.client = client
        self.when = when
        self._room = room
        self._future: asyncio.Future[Answer | None] | None = None
        self._body: ReplyBody | None = None
        self.ahead: Ahead
        self.reusable = 0.0

    def set_out(self, straight: Straight, policy: Policy, verdict: Verdict, place: Key, folded: bytes) -> None:
        """Note what is known of it when it has been sent."""
        self._straight = straight
        self._policy = policy
        self.verdict = verdict
        self._place = place
        self._folded = folded

    def land(self, ahead: Ahead) -> None:
        """Tell that something came of it, whatever it is."""
        self.ahead = ahead
        del self._straight.coalesce.flights[self._place]
        self.landed()

    def landed(self) -> None:
        """Go on, now that there is something to `take`."""
        raise NotImplementedError

    def take(self) -> AddressSet | ReplyBody | None:
        """Return what came; None where the question has to go the long way.

        Addresses have to be given to `keep` then, what else there is has been kept and counted.
        """
        outcome = self.ahead.outcome
        found: AddressSet | ReplyBody | None = None
        try:
            if isinstance(outcome, AddressSet):
                found = self._take_addresses(outcome)
            elif isinstance(outcome, Message):
                found = self._take_message(outcome)
        finally:
            if self._future is not None:
                self._future.set_result(self._answer())
        return found

    def joined(self) -> "asyncio.Future[Answer | None]":
        """Return what a second query for the same waits for; it gives None where that has to ask by itself."""
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        return self._future

    def changed_policy(self) -> Policy | None:
        """Return the policy in force, by which the client may be in other groups; None if it is that of the verdict."""
        policy = self._straight.box.current
        return None if policy is self._policy else policy

    def _take_addresses(self, found: AddressSet) -> AddressSet | None:
        straight = self._straight
        if straight.box.current is not self._policy or len(found.octets) > self._room:
            return None
        if not straight.cache.may_keep(found) or (straight.guards_private and may_be_private(found.addresses())):
            return None
        straight.forwarder.answered(self.ahead)
        return found

    def keep(self, found: AddressSet) -> None:
        """Keep addresses that came, and count them."""
        straight = self._straight
        self.reusable = straight.cache.keep_addresses(self._place, self.name, self.qtype, found)
        straight.record.note_straight(self._folded, self.qtype, self.verdict, self.client, self.when)

    def _take_message(self, message: Message) -> ReplyBody | None:
        straight = self._straight
        if message.rcode not in _SAYING:
            return None
        question = Question(self.name, self.qtype)
        try:
            body = self._body = extract_body(question, message, ad=False)
            if straight.box.current is not self._policy or not self._is_plain(question, body):
                return None
        except FormError:
            return None
        straight.forwarder.answered(self.ahead)
        body, self.reusable = straight.cache.keep(self._place, body)
        records = body.answer if body.rcode == Rcode.NOERROR and body.answer else None
        straight.record.note_straight(question.key, self.qtype, self.verdict, self.client, self.when, records)
        return body

    def _is_plain(self, question: Question, body: ReplyBody) -> bool:
        """Return whether the stages would leave an answer as it is; may raise FormError for a service record."""
        qtype, policy, scope = self.qtype, self._policy, self.client.scope
        is_alone = True
        for record in body.answer:
            if record.rtype != qtype:
                if record.rtype != QType.CNAME:
                    return False
                is_alone = False
        # A denial without a SOA is none that a server is known to be well by.
        if not (body.answer or body.authority) or any(record.rtype != QType.SOA for record in body.authority):
            return False
        if find_open_end(question, body) is not None:
            return False
        if self._straight.guards_private and any(map(is_private_record, body.answer)):
            return False
        if is_alone and qtype in ADDRESS_TYPES:
            return True
        for name in names_in(body.answer, question.key):
            target = policy.decide_target(name, qtype, scope, self.when)
            if weigh(self.verdict, target) is not self.verdict:
                return False
        return True

    def _answer(self) -> Answer | None:
        """Return what `coalesce` would give to whoever waits: what came, whatever is said of it to this client."""
        outcome = self.ahead.outcome
        if isinstance(outcome, AddressSet):
            body = ReplyBody(Rcode.NOERROR, answer=outcome.records(self.name, self.qtype))
        elif self._body is not None:
            body = self._body
        else:
            return None
        return Answer(body, None, None, source=Source.UPSTREAM)
