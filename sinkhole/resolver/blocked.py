"""Make the answer to a blocked name, whatever the type that was asked for.

The owner is always the name the client asked for: where a link of its chain was blocked, nothing of the chain shows.
Beside an address there is never an NXDOMAIN for another type, since that denies the whole name (RFC 8020), and beside
an NXDOMAIN there is never a record: what explains it stands in the additional section then.
"""

from sinkhole.config.schema import BlockingSettings
from sinkhole.policy.verdict import BlockAnswer, BlockMode, Verdict
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import parents_of
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_record, soa_record
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.answer import Answer, Source

_LABELS_OF_A_DOMAIN = 2
_NULL_IPV4, _NULL_IPV6 = "0.0.0.0", "::"  # noqa: S104 - the null answer, not an address we bind


def block_answer(settings: BlockingSettings) -> BlockAnswer:
    """Return the answer that the settings ask for.

    With no address set it is the null address of each family; with one set, the other family has none, since a
    client that is given `::` beside a real address waits for it.
    """
    ipv4, ipv6 = settings.ipv4, settings.ipv6
    if ipv4 is None and ipv6 is None:
        ipv4, ipv6 = _NULL_IPV4, _NULL_IPV6
    return BlockAnswer(BlockMode(settings.mode), ipv4, ipv6, settings.ttl, settings.ede)


def make_blocked(
    question: Question, verdict: Verdict, how: BlockAnswer, why: Ede, told: tuple[Record, ...] = ()
) -> Answer:
    """Return the answer to `question`, which `verdict` blocks; where it is coached, the one that leads to the page.

    Args:
        question: what the client asked.
        how: the kind of answer of the client's group.
        why: the extended error.
        told: records for a client that asked for an explanation.
    """
    ede = (why,)
    how = how.to_page() if verdict.is_coached else how
    if told and how.mode is not BlockMode.NXDOMAIN:
        body = ReplyBody(Rcode.NOERROR, answer=told, ede=ede)
    elif how.mode is BlockMode.REFUSED:
        body = ReplyBody(Rcode.REFUSED, ede=ede)
    elif how.mode is BlockMode.NXDOMAIN:
        body = ReplyBody(Rcode.NXDOMAIN, authority=(_soa(question, how),), additional=told, ede=ede)
    elif (record := _address(question, how)) is not None:
        body = ReplyBody(Rcode.NOERROR, answer=(record,), ede=ede)
    else:
        body = ReplyBody(Rcode.NOERROR, authority=(_soa(question, how),), ede=ede)
    # Who may be told depends on the address, which those who share finished replies need not have in common.
    ttl = None if question.qtype == QType.TXT else float(how.ttl)
    return Answer(body, verdict, ttl, source=Source.BLOCKED)


def _address(question: Question, how: BlockAnswer) -> Record | None:
    if how.mode is not BlockMode.ADDRESS:
        return None
    address = {QType.A: how.ipv4, QType.AAAA: how.ipv6}.get(question.qtype)
    return address_record(question.name, address, how.ttl) if address else None


def _soa(question: Question, how: BlockAnswer) -> Record:
    # Without a SOA the answer could not be kept, and the client would ask again at once (RFC 2308, section 5).
    # Its owner is the parent, or the name itself where the parent is a top-level domain: we do not speak for `com`.
    itself, *parents = parents_of(question.name)
    owner = parents[0] if len(parents) > _LABELS_OF_A_DOMAIN else itself
    return soa_record(owner, how.ttl, how.ttl)
