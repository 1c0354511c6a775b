"""What the chain returns for a query, before it is fitted to the client."""

from enum import StrEnum

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.reply import Ede, ReplyBody
from sinkhole.protocol.types import Rcode
from sinkhole.protocol.value import value


class Source(StrEnum):
    """Where an answer came from."""

    LOCAL = "local"
    BLOCKED = "blocked"
    CACHE = "cache"
    UPSTREAM = "upstream"
    STALE = "stale"
    ERROR = "error"


@value(frozen=True, slots=True)
class Answer:
    """An answer and what is known of it.

    Attributes:
        body: sections, rcode and extended errors.
        verdict: what policy said, or None where policy was not asked (local names, canaries apart).
        ttl: seconds the finished reply may be kept and given to equal queries under the same policy; None or 0: not.
            The answer is whole again only after a new pass through the chain, so this also ends where an answer
            should be refreshed ahead of its time.
        stale: whether it has outlived its TTL (RFC 8767).
        source: where it came from.
    """

    body: ReplyBody
    verdict: Verdict | None
    ttl: float | None
    stale: bool = False
    source: Source = Source.UPSTREAM

    @property
    def is_blocked(self) -> bool:
        """Whether this is the answer to a blocked name."""
        return self.source is Source.BLOCKED


def failure(*ede: Ede, ttl: float | None = None, verdict: Verdict | None = None) -> Answer:
    """Return SERVFAIL with its reasons.

    Args:
        ede: extended errors (RFC 8914), without anything internal in their text.
        ttl: seconds the failure may be remembered (RFC 9520), None where it says nothing about the name.
    """
    return Answer(ReplyBody(Rcode.SERVFAIL, ede=ede), verdict, ttl, source=Source.ERROR)
