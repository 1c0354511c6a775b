"""Answer local names: own records, special-use names, canaries.

The stage stands before the filter, because own records are the administrator's word and special names must work
whatever a list says; and before everything that could send them upstream (R-B15).
"""

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import cname_target, soa_record
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, QType, Rcode
from sinkhole.resolver.answer import Answer, Source, failure
from sinkhole.resolver.canaries import CANARIES, canary_verdict, find_canary
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.links import MAX_LINKS, join
from sinkhole.resolver.minimal_any import minimal_body
from sinkhole.resolver.own_records import OwnRecords, RecordSets
from sinkhole.resolver.query import Query
from sinkhole.resolver.special_names import SpecialNames

_NEGATIVE_TTL = 60
"""Seconds that an absent type of an own name is denied for."""


class Local:
    """The stage.

    Args:
        own: the administrator's records.
        special: the special-use names.
        canaries: whether canary names are denied.

    Attributes:
        zones: names at or below which all names are that are answered here.
    """

    def __init__(self, own: OwnRecords, special: SpecialNames, *, canaries: bool) -> None:
        self._own = own
        self._special = special
        self._canaries = canaries
        self.zones = own.zones | special.zones | (CANARIES if canaries else frozenset())

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Answer a local name, following own CNAMEs; pass on all other names."""
        question = query.question
        links: list[Record] = []
        passed = {question.key}
        while (found := self._own.find(question.name)) is not None:
            alias = found.get(QType.CNAME)
            if alias is None or question.qtype in (QType.CNAME, QType.ANY):
                return _local(links, _own_body(question, found))
            links.append(alias[0])
            question = Question(cname_target(alias[0]), question.qtype, question.qclass)
            if fold(question.name) in passed or len(links) > MAX_LINKS:
                return failure(Ede(EdeCode.OTHER, "local CNAME chain too long or looping"))
            passed.add(question.key)
        if self._canaries and (denial := find_canary(question)) is not None:
            return _local(links, denial, canary_verdict(question, query.client.scope))
        body = self._reserved(query, question)
        if body is not None:
            return _local(links, body)
        if not links:
            return await forward(query)
        return _behind(links, await forward(query.ask(question.name)))

    def _reserved(self, query: Query, question: Question) -> ReplyBody | None:
        exists = self._own.is_above(question.name)
        return self._special.find(question, wants_dnssec=query.wants_dnssec, exists=exists)


def _own_body(question: Question, found: RecordSets) -> ReplyBody:
    if question.qtype == QType.ANY:
        return minimal_body(question)
    records = found.get(question.qtype)
    if records is not None:
        return ReplyBody(Rcode.NOERROR, answer=records, aa=True)
    soa = soa_record(question.name, _NEGATIVE_TTL, _NEGATIVE_TTL)
    return ReplyBody(Rcode.NOERROR, authority=(soa,), aa=True)


def _local(links: list[Record], body: ReplyBody, verdict: Verdict | None = None) -> Answer:
    answer = Answer(body, None, None, source=Source.LOCAL)
    whole = join(ReplyBody(Rcode.NOERROR, answer=tuple(links)), answer).body
    return Answer(whole, verdict, _shortest(whole.answer + whole.authority), source=Source.LOCAL)


def _behind(links: list[Record], answer: Answer) -> Answer:
    if answer.source in (Source.BLOCKED, Source.ERROR):
        return answer
    whole = join(ReplyBody(Rcode.NOERROR, answer=tuple(links)), answer)
    ttl = None if answer.ttl is None else min(answer.ttl, _shortest(tuple(links)))
    return Answer(whole.body, answer.verdict, ttl, answer.stale, answer.source)


def _shortest(records: tuple[Record, ...]) -> float:
    return float(min(record.ttl for record in records))
