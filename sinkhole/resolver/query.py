"""One question on its way through the chain: what the client sent, and who it is; never changed on the way."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.identity import Identity
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.question import QueryMessage, Question
from sinkhole.protocol.value import value
from sinkhole.upstream.ahead import Ahead
from sinkhole.upstream.ask import Packets


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Attributes:
        address: of the client; where a forwarder named it without one, `mac:…` or `id:…`.
        scope: the groups it is in.
        identity: what else is known of it.
        behind: address of the forwarder that named it without an address.
    """

    address: str
    scope: Scope
    identity: Identity | None = None
    behind: str | None = None

    def scope_under(self, policy: Policy) -> Scope:
        """Return its scope under another policy."""
        return policy.scope_of(self.behind or self.address, self.identity)


@value(frozen=True, slots=True)
class Query:
    """One question, and all that an answer to it may depend on.

    Attributes:
        message: the query; its question is the one that is being resolved.
        when: wall-clock time in UTC, for schedules, expiries and records; lifetimes use the monotonic clock.
        explain: whether the verdict shall name the rules that lost.
        origin: the question of the client, where `message` asks for a link of its chain; None where they are one.
        judged: the verdict on the name whose CNAME led here; such a link is judged as a target, not as a QNAME.
        ahead: what was sent for it before it came to the chain, where it was (`straight`).
        packets: messages that may be sent to upstreams for it, all links of its chain together (R-C10).
    """

    message: QueryMessage
    client: Client
    is_stream: bool
    when: datetime
    explain: bool = False
    origin: Question | None = None
    judged: Verdict | None = None
    ahead: Ahead | None = field(default=None, compare=False)
    packets: Packets = field(default_factory=Packets, compare=False)

    @property
    def question(self) -> Question:
        """The question that is being resolved."""
        return self.message.question

    @property
    def asked(self) -> Question:
        """The question of the client: what a blocked answer is made for, whatever link of the chain was blocked."""
        return self.origin or self.message.question

    @property
    def wants_dnssec(self) -> bool:
        """Whether DO is set (RFC 3225)."""
        return self.message.edns is not None and self.message.edns.do

    def under(self, policy: Policy) -> "Query":
        """Return the query of the same client under another policy."""
        return replace(self, client=replace(self.client, scope=self.client.scope_under(policy)))

    def ask(self, name: bytes, judged: Verdict | None = None) -> "Query":
        """Return the query for `name`, a link of the chain of this one.

        Args:
            judged: the verdict on this query, if the link came from an upstream and is to be judged as a target;
                None if it came from a local record, whose target is judged like any name that is asked for.
        """
        question = Question(name, self.question.qtype, self.question.qclass)
        message = replace(self.message, question=question)
        return replace(self, message=message, origin=self.asked, judged=judged, ahead=None)
