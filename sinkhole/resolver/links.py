"""The chain of names inside an answer: where it ends, and how two parts of it are joined."""

from dataclasses import replace

from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import cname_target
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType, Rcode
from sinkhole.resolver.answer import Answer

MAX_LINKS = 16
"""Links of a chain; a longer one ends in SERVFAIL, as one that loops does."""


def count_links(body: ReplyBody) -> int:
    """Return how many CNAME records the chain has."""
    return sum(record.rtype == QType.CNAME for record in body.answer)


def find_open_end(question: Question, body: ReplyBody) -> bytes | None:
    """Return the name at which the chain stops without saying what is there; None where the answer is whole.

    The answer section holds nothing but the chain, in its order (see `extract`). A denial says what is there:
    NXDOMAIN is about the last name of the chain (RFC 6604), and so is a SOA.
    """
    if body.answer and body.answer[-1].rtype == question.qtype:  # as in nearly all
        return None
    if body.rcode != Rcode.NOERROR or question.qtype in (QType.CNAME, QType.ANY):
        return None
    if any(record.rtype == QType.SOA for record in body.authority):
        return None
    if any(record.rtype == question.qtype for record in body.answer):
        return None
    aliases = [record for record in body.answer if record.rtype == QType.CNAME]
    return cname_target(aliases[-1]) if aliases else None


def is_loop(question: Question, body: ReplyBody, target: bytes) -> bool:
    """Return whether the chain has been at `target` before."""
    passed = {fold(record.owner) for record in body.answer if record.rtype == QType.CNAME}
    return fold(target) in passed | {question.key}


def join(first: ReplyBody, answer: Answer) -> Answer:
    """Return `answer`, which says what is at the end of the chain in `first`, with that chain before it.

    The rcode and the denial are those of the end (RFC 6604, section 3); AD needs both parts to be proven.
    """
    body = answer.body
    joined = replace(
        body, answer=first.answer + body.answer, authority=_distinct(first.authority, body.authority),
        ad=first.ad and body.ad, ede=first.ede + tuple(e for e in body.ede if e not in first.ede),
    )  # fmt: skip
    return replace(answer, body=joined)


def _distinct(first: tuple[Record, ...], second: tuple[Record, ...]) -> tuple[Record, ...]:
    return first + tuple(record for record in second if record not in first)
