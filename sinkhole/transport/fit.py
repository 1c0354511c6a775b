"""Fit a reply to the client at the very end: its size, its OPT and the options it asked for."""

from dataclasses import replace

from sinkhole.config.schema import TransportSettings
from sinkhole.protocol.message import Record
from sinkhole.protocol.question import QueryMessage
from sinkhole.protocol.reply import ReplyBody, reply_limit, write_reply
from sinkhole.protocol.types import OptionCode, Rcode

_TC = 0x02


def fit_reply(query: QueryMessage, body: ReplyBody, is_stream: bool, settings: TransportSettings) -> bytes:
    """Write the reply in the size and with the options that this client can take."""
    options: tuple[tuple[int, bytes], ...] = ()
    if is_stream and _asks_keepalive(query):
        # The value is in units of 100 ms (RFC 7828, section 3.1).
        units = min(65535, int(settings.tcp_idle_timeout * 10))
        options = ((OptionCode.KEEPALIVE, units.to_bytes(2, "big")),)
    limit = reply_limit(query, is_stream, settings.max_payload)
    return write_reply(query, body, max_size=limit, own_payload=settings.max_payload, options=options)


def truncated_reply(query: QueryMessage, settings: TransportSettings) -> bytes:
    """Write an empty reply with TC=1, which sends a real client to TCP and a forger away with nothing gained."""
    reply = bytearray(fit_reply(query, ReplyBody(Rcode.NOERROR), False, settings))
    reply[2] |= _TC
    return bytes(reply)


def cap_ttls(body: ReplyBody, seconds: int) -> ReplyBody:
    """Return the body with no TTL above `seconds`."""
    answer, authority, additional = (_capped(part, seconds) for part in (body.answer, body.authority, body.additional))
    return replace(body, answer=answer, authority=authority, additional=additional)


def _capped(records: tuple[Record, ...], seconds: int) -> tuple[Record, ...]:
    return tuple(replace(record, ttl=seconds) if record.ttl > seconds else record for record in records)


def _asks_keepalive(query: QueryMessage) -> bool:
    """Whether the client sent the option; over UDP it is ignored, unasked it is not sent (RFC 7828, section 3.3)."""
    return query.edns is not None and any(code == OptionCode.KEEPALIVE for code, _ in query.edns.options)
