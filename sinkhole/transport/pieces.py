"""What replies to blocked names are made of (`blocked_replies`)."""

from sinkhole.policy.verdict import Verdict
from sinkhole.protocol.question import HEADER, TYPE_AND_CLASS


class Pieces:
    """What stands before and after the question in a reply.

    Attributes:
        before: the octets from after the id up to the question.
        after: the octets after the question.
        verdict, qtype: what is counted each time, if `is_recorded`.
        ttl: seconds that clients may keep it.
        until: monotonic seconds; from then on that would be too long.
    """

    __slots__ = ("after", "before", "is_recorded", "qtype", "ttl", "until", "verdict")

    def __init__(
        self, reply: bytes, end: int, verdict: Verdict, qtype: int, *, ttl: float, until: float, is_recorded: bool
    ) -> None:
        self.before = reply[2:HEADER]
        self.after = reply[end + TYPE_AND_CLASS :]
        self.verdict = verdict
        self.qtype = qtype
        self.ttl = ttl
        self.until = until
        self.is_recorded = is_recorded
