"""Make the answer that a rule of a local list asks for in place of the true one (`$dnsrewrite`, hosts rows)."""

from dataclasses import replace

from sinkhole.errors import FormError
from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import records_from_text, soa_record, txt_record
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import EdeCode, QClass, QType, Rcode
from sinkhole.resolver.answer import Answer, Source, failure

_OWNER = "owner.invalid"
_ALIAS = "CNAME "
_NEGATIVE = frozenset((Rcode.NOERROR, Rcode.NXDOMAIN))
_FORGED = Ede(EdeCode.FORGED_ANSWER)  # RFC 8914, section 4.5


def alias_of(question: Question, verdict: Verdict, ttl: int = 0) -> Record | None:
    """Return the CNAME that a verdict puts at a name, or None where it asks for something else, or is asked for it."""
    if not verdict.rewrite or question.qtype == QType.CNAME or not verdict.rewrite[0].startswith(_ALIAS):
        return None
    return Record(question.name, QType.CNAME, QClass.IN, ttl, name_from_text(verdict.rewrite[0].removeprefix(_ALIAS)))


def make_rewritten(question: Question, verdict: Verdict, ttl: int) -> Answer:
    """Return the answer to `question` whose records or response code `verdict` gives.

    Types that it gives no record for have none.
    """
    first = verdict.rewrite[0]
    soa = soa_record(question.name, ttl, ttl)
    if " " not in first:
        rcode: int = getattr(Rcode, first)
        body = ReplyBody(rcode, authority=(soa,) if rcode in _NEGATIVE else (), ede=(_FORGED,))
        return Answer(body, verdict, float(ttl), source=Source.LOCAL)
    try:
        records = [_record(question.name, text, ttl) for text in verdict.rewrite]
    except FormError as error:
        return failure(Ede(EdeCode.OTHER, f"rewrite of a local list: {error}"), verdict=verdict)
    answer = tuple(record for record in records if question.qtype in (record.rtype, QType.ANY))
    body = ReplyBody(Rcode.NOERROR, answer=answer, authority=() if answer else (soa,), ede=(_FORGED,))
    return Answer(body, verdict, float(ttl), source=Source.LOCAL)


def _record(owner: bytes, text: str, ttl: int) -> Record:
    rtype, _, data = text.partition(" ")
    if rtype == "TXT":  # the text of one string, without quotes
        return txt_record(owner, data, ttl)
    (record,) = records_from_text(f"{_OWNER} {ttl} {text}")
    return replace(record, owner=owner)
