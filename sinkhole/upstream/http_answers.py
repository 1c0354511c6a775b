"""Answers in bodies of HTTP responses, whose TTLs do not know how long they lay in a cache (RFC 8484, section 5.1)."""

from dataclasses import replace
from typing import Final

from sinkhole.errors import FormError
from sinkhole.protocol.message import Message, Record, read_message
from sinkhole.upstream.failure import UpstreamFailure
from sinkhole.upstream.matching import Match, is_truncated, match, with_name

MEDIA_TYPE: Final = "application/dns-message"
MAX_OCTETS: Final = 65535
TOO_LONG: Final = "an upstream answered with more than 65535 octets"
_OK: Final = 200


def fault_of(status: int | None, media_type: str, encoding: str) -> str | None:
    """Return why a response carries no answer; None if it may.

    Args:
        status: None for what is no number.
        media_type: the header field `Content-Type`, empty where there is none.
        encoding: `Content-Encoding`, `identity` where there is none.
    """
    if status != _OK:
        return f"an upstream answered with HTTP status {'none' if status is None else status}"
    if media_type.partition(";")[0].strip(" \t").lower() != MEDIA_TYPE or encoding != "identity":
        return "an upstream answered with something that is not DNS"
    return None


def age_of(text: str) -> int:
    """Return the seconds that a header field `Age` tells; 0 for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def read_aged(sent: bytes, name: bytes, got: bytes, age: int) -> Message:
    """Read the body of a response, and lower all its TTLs by the seconds that it lay in a cache.

    Args:
        sent: the query.
        name: its name, as the client wrote it.
        got: the body.
        age: seconds.

    Raises:
        UpstreamFailure: it is no answer to the query.
    """
    if match(sent, len(name), got) not in (Match.ANSWER, Match.CASE) or is_truncated(got):
        raise UpstreamFailure("an upstream answered something else than was asked")
    try:
        message = read_message(with_name(got, name))
    except FormError as error:
        raise UpstreamFailure("an answer could not be read") from error
    return _aged(message, age)


def _aged(message: Message, age: int) -> Message:
    if not age:
        return message

    def lower(records: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(replace(record, ttl=max(0, record.ttl - age)) for record in records)

    return replace(
        message, answer=lower(message.answer), authority=lower(message.authority), additional=lower(message.additional)
    )
