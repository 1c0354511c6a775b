"""Take the keys of Encrypted Client Hello out of answers, where the administrator wants that.

Without them a client names the host it wants in the clear, as it always did (RFC 9848 and 9849), and a filter behind
this resolver can see it. The stage stands before the cache, so that cached answers pass it too, and behind the filter.
A client that checks signatures by itself takes what is left for forged, since nobody but the owner could sign it.
"""

from dataclasses import replace

from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.svcb import ECH, SVCB_TYPES, without_parameter
from sinkhole.protocol.types import QType
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query


async def strip_ech(query: Query, forward: Handler) -> Answer:
    """Return the answer of `forward` without `ech` in its service records."""
    answer = await forward(query)
    records = answer.body.answer
    if not any(record.rtype in SVCB_TYPES for record in records):
        return answer
    try:
        written = tuple(map(_without_ech, records))
    except FormError:
        return answer  # the filter refuses the whole of it
    changed = {_set_of(new) for old, new in zip(records, written, strict=True) if new is not old}
    if not changed:
        return answer
    kept = [record for record in written if not (record.rtype == QType.RRSIG and _signed_by(record) in changed)]
    # What differed in its keys alone is the same now, and no set has duplicates (RFC 2181, section 5).
    return replace(answer, body=replace(answer.body, answer=tuple(dict.fromkeys(kept)), ad=False))


def _without_ech(record: Record) -> Record:
    return without_parameter(record, ECH) if record.rtype in SVCB_TYPES else record


def _set_of(record: Record) -> tuple[bytes, int]:
    return fold(record.owner), record.rtype


def _signed_by(signature: Record) -> tuple[bytes, int]:
    return fold(signature.owner), int.from_bytes(signature.rdata[:2], "big")
