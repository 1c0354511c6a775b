"""How long an answer lives, and what TTLs its records show."""

from dataclasses import replace

from sinkhole.config.schema import CacheSettings
from sinkhole.protocol.message import Record
from sinkhole.protocol.rdata import soa_minimum
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType, Rcode


def limit(body: ReplyBody, settings: CacheSettings) -> tuple[ReplyBody, int]:
    """Return `body` with its TTLs within the limits of the settings, and the seconds it may be kept.

    No record outlives its own TTL: the least one counts for all (RFC 2181, section 5.2). A denial lives as long as
    its SOA says, and without a SOA it is not kept (RFC 2308, section 5).

    Returns:
        The body, and 0 where it must not be kept.
    """
    if body.answer and not body.authority:
        ttls = [record.ttl for record in body.answer]
        if settings.min_ttl <= min(ttls) and max(ttls) <= settings.max_ttl:  # as they are nearly always
            return body, min(ttls) if body.rcode == Rcode.NOERROR else 0
    answer = tuple(_capped(record, settings) for record in body.answer)
    soa = next((record for record in body.authority if record.rtype == QType.SOA), None)
    # RFC 2308, section 5: the TTL of a denial is the lesser of the SOA's own TTL and its MINIMUM,
    # and the SOA is sent on with that TTL; the proofs beside it have the same end.
    longest = settings.max_ttl if soa is None else _negative_ttl(soa, settings)
    authority = tuple(replace(r, ttl=min(r.ttl if r is not soa else longest, longest)) for r in body.authority)
    limited = replace(body, answer=answer, authority=authority)
    if soa is None and (not answer or body.rcode != Rcode.NOERROR):
        return limited, 0
    return limited, min(record.ttl for record in answer + authority)


def aged(body: ReplyBody, seconds: int) -> ReplyBody:
    """Return `body` with every TTL less by `seconds`, and none below 0."""
    if seconds <= 0:
        return body
    return replace(body, answer=_older(body.answer, seconds), authority=_older(body.authority, seconds))


def with_ttl(body: ReplyBody, ttl: int) -> ReplyBody:
    """Return `body` with `ttl` on every record (RFC 8767, section 4)."""
    return replace(
        body,
        answer=tuple(replace(record, ttl=ttl) for record in body.answer),
        authority=tuple(replace(record, ttl=ttl) for record in body.authority),
    )


def _capped(record: Record, settings: CacheSettings) -> Record:
    ttl = min(max(record.ttl, settings.min_ttl), settings.max_ttl)
    return record if ttl == record.ttl else replace(record, ttl=ttl)


def _negative_ttl(soa: Record, settings: CacheSettings) -> int:
    return min(max(min(soa.ttl, soa_minimum(soa)), settings.min_ttl), settings.max_negative_ttl, settings.max_ttl)


def _older(records: tuple[Record, ...], seconds: int) -> tuple[Record, ...]:
    return tuple(replace(record, ttl=max(0, record.ttl - seconds)) for record in records)
