"""How long an answer lay in an HTTP cache, which its TTLs do not know of (RFC 8484, section 5.1)."""

from dataclasses import replace

from sinkhole.protocol.message import Message, Record


def age_of(text: str) -> int:
    """Return the seconds that a header field `Age` tells; 0 for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def aged(message: Message, age: int) -> Message:
    """Return the message with all TTLs lowered by so many seconds."""
    if not age:
        return message

    def lower(records: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(replace(record, ttl=max(0, record.ttl - age)) for record in records)

    return replace(
        message, answer=lower(message.answer), authority=lower(message.authority), additional=lower(message.additional)
    )
