"""A chain with a scripted upstream, a policy and a clock in the test's hand; asked and read in dnspython's words."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from sinkhole.config.schema import Settings
from sinkhole.errors import UpstreamError
from sinkhole.policy.engine import Policy
from sinkhole.policy.feed import Feed
from sinkhole.policy.image import FeedRules, NameIndex
from sinkhole.policy.override import Override
from sinkhole.policy.rule import Rule
from sinkhole.policy.statement import Group, Statement
from sinkhole.policy.subject import Subject
from sinkhole.policy.vendor import Vendor
from sinkhole.policy.verdict import Action, BlockAnswer
from sinkhole.protocol.message import Message, read_message
from sinkhole.protocol.question import Question, read_query
from sinkhole.protocol.reply import reply_limit, write_reply
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.blocked import block_answer
from sinkhole.resolver.build import build_chain
from sinkhole.resolver.forward import Upstreams
from sinkhole.resolver.hits import Hits
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client, Query
from sinkhole.upstream.ahead import Ahead
from sinkhole.upstream.ask import Packets
from tests.fakes import reply
from tests.policy.world import domain as catalogue_domain
from tests.policy.world import product
from tests.policy.world import vendor as catalogue_vendor

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """Monotonic seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@dataclass
class Script:
    """What the upstream says to one question."""

    answer: Sequence[str] = ()
    authority: Sequence[str] = ()
    additional: Sequence[str] = ()
    rcode: str = "NOERROR"
    flags: str = ""
    error: Exception | None = None
    replace: tuple[bytes, bytes] | None = None
    """Octets to put in place of others on the wire, for what dnspython refuses to write."""


@dataclass
class Upstream:
    """A forwarder without a network: it knows answers by `name TYPE`, and NXDOMAIN for the rest.

    While `open` is not set, every question waits.
    """

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)
    flags: list[tuple[bool, bool]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def say(self, question: str, *answer: str, **script: Any) -> None:
        """Set what is said to `question`, such as `example.org A`; records without class: `example.org 300 A …`."""
        lines = {k: [_in(v) for v in script.pop(k)] for k in ("authority", "additional") if k in script}
        self.scripts[question] = Script([_in(line) for line in answer], **lines, **script)

    def fail(self, question: str, error: Exception | None = None) -> None:
        """Have no answer to `question`."""
        self.scripts[question] = Script(error=error or UpstreamError("no upstream answered"))

    async def resolve(
        self, question: Question, *, do: bool, cd: bool, client: str, packets: Packets | None = None,
        ahead: Ahead | None = None,
    ) -> Message:  # fmt: skip
        """Answer as told."""
        if packets is not None:
            packets.spend()
        name = dns.name.from_wire(question.name, 0)[0].to_text(omit_final_dot=True).lower()
        text = f"{name} {dns.rdatatype.to_text(question.qtype)}"
        self.asked.append(text)
        self.clients.append(client)
        self.flags.append((do, cd))
        await self.open.wait()
        script = self.scripts.get(text, Script(rcode="NXDOMAIN"))
        if script.error is not None:
            raise script.error
        query = dns.message.make_query(name, question.qtype, want_dnssec=do)
        wire = reply(
            query.to_wire(), *script.answer, rcode=script.rcode, authority=script.authority,
            additional=script.additional, flags=script.flags,
        )  # fmt: skip
        return read_message(wire.replace(*script.replace) if script.replace else wire)


def _in(line: str) -> str:
    owner, ttl, rtype, data = line.split(None, 3)
    if rtype in ("CNAME", "DNAME"):
        data = data.rstrip(".") + "."
    return f"{owner.rstrip('.')}. {ttl} IN {rtype} {data}"


def vendor(name: str, *domains: str, category: str = "chat", jurisdiction: str = "CN") -> Vendor:
    """Return a vendor with one product, whose domains match as suffixes."""
    entries = tuple(catalogue_domain(domain) for domain in domains)
    return catalogue_vendor(name, product(f"{name}/chat", *entries, categories=(category,)), jurisdiction=jurisdiction)


class World:
    """Everything of one chain.

    Args:
        settings: tables of the configuration, such as `cache={"entries": 0}`.
        forwarder: who is asked instead of the scripted upstream.
        policy: statements as text: `block vendor:deepseek`, `allow domain:example.org @staff`.
        local: whether the feeds are lists of the administrator's own.
    """

    def __init__(
        self,
        *,
        policy: Iterable[str] = (),
        vendors: Sequence[Vendor] = (),
        feeds: Sequence[tuple[str, Sequence[Rule]]] = (),
        groups: Sequence[Group] = (),
        how: BlockAnswer | None = None,
        forwarder: Upstreams | None = None,
        local: bool = False,
        overrides: Sequence[Override] = (),
        **settings: Any,
    ) -> None:
        self.overrides = tuple(overrides)
        self._is_local = local
        self._vendors, self._feeds, self._groups = vendors, feeds, tuple(groups)
        self._generation = 0
        self.settings = Settings.model_validate(settings)
        self.how = how or block_answer(self.settings.blocking)
        self.clock = Clock()
        self.upstream = Upstream()
        self.hits = Hits(self.settings.record)
        self.box = PolicyBox(self.make_policy(*policy))
        self.chain = build_chain(self.settings, self.box, forwarder or self.upstream, self.hits, clock=self.clock)

    def make_policy(self, *lines: str) -> Policy:
        """Return a policy of these statements over the vendors and feeds of this world."""
        self._generation += 1
        feeds = [FeedRules(Feed(name, "file:x", local=self._is_local), rules) for name, rules in self._feeds]
        statements = tuple(_statement(number, line) for number, line in enumerate(lines, 1))
        index = NameIndex.from_rules(feeds, self._vendors)
        return Policy(index, statements, self._groups, self.how, self._generation, overrides=self.overrides)

    def swap(self, *lines: str) -> None:
        """Put a new policy in force."""
        self.box.current = self.make_policy(*lines)

    def query(
        self,
        text: str,
        *,
        client: str = "192.0.2.1",
        do: bool = False,
        edns: bool = True,
        rd: bool = True,
        **flags: bool,
    ) -> Query:
        """Return the query `name TYPE` of a client."""
        name, _, qtype = text.partition(" ")
        message = dns.message.make_query(name, qtype or "A", use_edns=0 if edns or do else -1, want_dnssec=do)
        message.flags = dns.flags.Flag(dns.flags.RD if rd else 0)
        for flag, is_set in flags.items():
            if is_set:
                message.flags |= dns.flags.from_text(flag.upper())
        read = read_query(message.to_wire())
        return Query(read, Client(client, self.box.current.scope_of(client)), is_stream=False, when=NOON)

    async def answer(self, text: str, **options: Any) -> Answer:
        """Ask, and return what the chain says."""
        return await self.chain(self.query(text, **options))

    async def ask(self, text: str, **options: Any) -> dns.message.Message:
        """Ask, and return the reply as a client reads it."""
        query = self.query(text, **options)
        answer = await self.chain(query)
        wire = write_reply(query.message, answer.body, max_size=reply_limit(query.message, True, 1232))
        return dns.message.from_wire(wire)

    async def refreshed(self) -> None:
        """Wait until refreshes and flights have ended."""
        while self.chain.busy:
            await asyncio.sleep(0)


def _statement(number: int, line: str) -> Statement:
    action, subject, *group = line.split()
    return Statement(
        number, Subject.from_text(subject), Action.from_text(action), group=group[0].lstrip("@") if group else None
    )


def lines_of(section: Iterable[Any]) -> list[str]:
    """Return the records of a section as `name TTL TYPE data`, names without final dot."""
    return [
        f"{rrset.name.to_text(omit_final_dot=True)} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}"
        for rrset in section
        for rdata in rrset
    ]


def ede_of(message: dns.message.Message) -> list[int]:
    """Return the codes of the extended errors."""
    return [int(option.code) for option in message.options if option.otype == 15]
