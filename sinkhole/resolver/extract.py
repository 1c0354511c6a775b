"""Take out of an upstream's message what answers the question, in order, and nothing else.

Only the chain that leads from the QNAME to its data is kept: other records in the answer section, and whatever an
upstream adds in authority and additional, could belong to a victim (RFC 2181, section 5.4.1; Kaminsky 2008).
"""

from collections import defaultdict
from collections.abc import Iterable

from sinkhole.errors import FormError
from sinkhole.protocol.message import Message, Record
from sinkhole.protocol.names import fold, parents_of
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import cname_target
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.links import MAX_LINKS

_PROOFS = frozenset({QType.NSEC, QType.NSEC3, QType.RRSIG})
_MAX_NAME = 255

_ByOwner = dict[bytes, list[Record]]


def extract_body(question: Question, message: Message, *, ad: bool) -> ReplyBody:
    """Return the part of `message` that answers `question`.

    Args:
        ad: whether the answer counts as validated.

    Raises:
        FormError: the message does not answer the question: the chain loops, forks or is too long, nothing in a
            filled answer section is about the QNAME, or it is a referral, which a resolver must not give.
    """
    if _is_plain(question, message):
        return ReplyBody(message.rcode, answer=message.answer, ad=ad)
    by_owner: _ByOwner = defaultdict(list)
    for record in message.answer:
        if record.rclass == question.qclass:
            by_owner[fold(record.owner)].append(record)
    answer, names, is_found = _walk(question, by_owner)
    if message.answer and not answer and message.rcode != Rcode.YXDOMAIN:
        raise FormError("answer section is not about the question")
    authority = tuple(_denial(message.authority, names, is_found=is_found)) if message.authority else ()
    is_referral = any(r.rtype == QType.NS for r in message.authority) and not any(
        r.rtype == QType.SOA for r in message.authority
    )
    if message.rcode == Rcode.NOERROR and not answer and is_referral:
        raise FormError("a referral instead of an answer")
    return ReplyBody(message.rcode, answer=answer, authority=authority, ad=ad)


def _is_plain(question: Question, message: Message) -> bool:
    """Return whether a message is nothing but the set of records that was asked for, as most are."""
    if message.authority or not message.answer:
        return False
    key, qtype, qclass = question.key, question.qtype, question.qclass
    for record in message.answer:
        if record.rtype != qtype or record.rclass != qclass or record.owner.lower() != key:
            return False
    return len(message.answer) == 1 or len(set(message.answer)) == len(message.answer)


def _walk(question: Question, by_owner: _ByOwner) -> tuple[tuple[Record, ...], list[bytes], bool]:
    """Return the records of the chain in order, its names, and whether it ends in data."""
    kept: list[Record] = []
    name, names = question.name, [question.key]
    is_redirected = _has_redirections(by_owner)
    while True:
        here = by_owner.get(names[-1], [])
        data = [record for record in here if record.rtype == question.qtype]
        if data:
            kept += _with_signatures(data, here, question.qtype)
            return tuple(dict.fromkeys(kept)), names, True
        link = _link(name, here, by_owner if is_redirected else {}, question)
        if link is None:
            return tuple(dict.fromkeys(kept)), names, False
        records, name = link
        kept += records
        if fold(name) in names:
            raise FormError("CNAME chain loops")
        names.append(fold(name))
        if len(names) > MAX_LINKS + 1:
            raise FormError(f"CNAME chain has more than {MAX_LINKS} links")


def _link(name: bytes, here: list[Record], by_owner: _ByOwner, question: Question) -> tuple[list[Record], bytes] | None:
    """Return the records that lead from `name` to the next name, and that name; None at the end of the chain.

    Args:
        here: those at `name`.
        by_owner: all, in which a DNAME may be; empty where there is none.
    """
    if question.qtype == QType.CNAME:
        return None
    aliases = [record for record in here if record.rtype == QType.CNAME]
    targets = {fold(cname_target(record)) for record in aliases}
    if len(targets) > 1:
        raise FormError("more than one CNAME at a name")  # RFC 2181, section 10.1
    redirect, substituted = _redirection(name, by_owner) if by_owner else ([], None)
    if aliases:
        if substituted is not None and targets != {fold(substituted)}:
            redirect = []
        kept = redirect + _with_signatures(aliases, here, QType.CNAME)
        return kept, cname_target(aliases[0])
    if substituted is None:
        return None
    alias = Record(name, QType.CNAME, question.qclass, redirect[0].ttl, substituted)
    return [*redirect, alias], substituted


def _has_redirections(by_owner: _ByOwner) -> bool:
    """Return whether there is any DNAME: as a rule there is none, and no name above has to be looked at."""
    return any(record.rtype == QType.DNAME for here in by_owner.values() for record in here)


def _redirection(name: bytes, by_owner: _ByOwner) -> tuple[list[Record], bytes | None]:
    """Return the DNAME above `name` with its signatures, and the name it makes of `name` (RFC 6672, section 2.2)."""
    for parent in list(parents_of(name))[1:]:
        here = by_owner.get(fold(parent), [])
        found = [record for record in here if record.rtype == QType.DNAME]
        if found:
            substituted = name[: len(name) - len(parent)] + cname_target(found[0])
            if len(substituted) > _MAX_NAME:
                return [], None  # YXDOMAIN, which the message says by itself
            return _with_signatures(found, here, QType.DNAME), substituted
    return [], None


def _with_signatures(records: list[Record], here: list[Record], rtype: int) -> list[Record]:
    covered = rtype.to_bytes(2, "big")
    return records + [r for r in here if r.rtype == QType.RRSIG and r.rdata[:2] == covered and rtype != QType.RRSIG]


def _denial(authority: tuple[Record, ...], names: list[bytes], *, is_found: bool) -> Iterable[Record]:
    """Yield the SOA that denies the end of the chain, and the proofs that a validating client needs.

    Proofs are kept beside data too, for answers made from a wildcard (RFC 4035, section 3.1.3.3).
    """
    zones = {parent for name in names for parent in parents_of(name)}
    soa = next((r for r in authority if r.rtype == QType.SOA and fold(r.owner) in zones), None)
    if soa is not None and not is_found:
        yield soa
    yield from (record for record in authority if record.rtype in _PROOFS)
