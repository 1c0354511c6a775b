"""Does a message answer the query we sent? Judged on its octets, before it is parsed (RFC 5452, section 9.1)."""

from enum import Enum

from sinkhole.protocol.question import HEADER
from sinkhole.protocol.types import Rcode


class Match(Enum):
    """What a message that arrived is to a query that was sent."""

    ANSWER = "answers it"
    CASE = "answers it but for the letter case of the name"
    BARE = "an error without a question, as servers send that cannot read ours"
    OTHER = "not an answer to it"


def match(sent: bytes, name_length: int, got: bytes) -> Match:
    """Compare id, QR, opcode, QDCOUNT and the question, letter by letter.

    A question cannot be compressed, as there is nothing before it, so equal questions are equal octets.

    Args:
        sent: the query.
        name_length: octets of the name in its question.
        got: the message.
    """
    if len(got) < HEADER or got[:2] != sent[:2] or not got[2] & 0x80 or got[2] & 0x78:
        return Match.OTHER
    if got[4:6] == b"\0\0":
        return Match.BARE if got[3] & 0x0F in (Rcode.FORMERR, Rcode.NOTIMP) else Match.OTHER
    name_end = HEADER + name_length
    end = name_end + 4
    if got[4:6] != b"\0\1" or got[name_end:end] != sent[name_end:end]:
        return Match.OTHER
    if got[HEADER:name_end] == sent[HEADER:name_end]:
        return Match.ANSWER
    return Match.CASE if got[HEADER:name_end].lower() == sent[HEADER:name_end].lower() else Match.OTHER


def is_truncated(got: bytes) -> bool:
    """Say whether TC is set."""
    return bool(got[2] & 0x02)


def with_name(got: bytes, name: bytes) -> bytes:
    """Return the answer with `name` in its question, which has the same length.

    What was compressed against our random letter case then reads as the client wrote it.
    """
    return got[:HEADER] + name + got[HEADER + len(name) :]
