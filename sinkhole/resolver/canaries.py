"""Names by which programs ask whether they may go round the network's resolver; denied where a setting says so.

`use-application-dns.net` keeps Firefox from turning on DNS over HTTPS by itself (Mozilla's canary domain);
`mask.icloud.com` and its kin keep iCloud Private Relay off (Apple, "Prepare your network"). All of them take NXDOMAIN
for "no". The catalogue says who asks for it (`blocklists/canaries.toml`). A denial is recorded as a hit of the way
round that the program would have taken: all of them are encrypted DNS to a program's own resolver.
"""

from sinkhole.policy.groups import Scope
from sinkhole.policy.verdict import Action, Verdict
from sinkhole.protocol.names import name_from_text, name_to_text, parents_of
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import soa_record
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import Rcode

TTL = 300
"""Short, so that a changed setting is soon in force at the clients."""

CANARY_NAMES = (
    "use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com", "mask-canary.icloud.com", "mask-api.icloud.com",
)  # fmt: skip
CANARIES = frozenset(map(name_from_text, CANARY_NAMES))
SUBJECT = "bypass:encrypted-dns"


def find_canary(question: Question) -> ReplyBody | None:
    """Return the denial of a canary name, or None for any other name."""
    if question.key not in CANARIES:
        return None
    zone = list(parents_of(question.key))[1]  # a name that does not exist cannot be the apex of a zone
    return ReplyBody(Rcode.NXDOMAIN, authority=(soa_record(zone, TTL, TTL),))


def canary_verdict(question: Question, scope: Scope) -> Verdict:
    """Return the verdict that the denial of a canary name is recorded with."""
    return Verdict(
        Action.BLOCK,
        subject=SUBJECT,
        scope="all",
        rule=f"{name_to_text(question.key)}, a canary",
        group=scope.groups[0] if scope.groups else None,
        reason="answered as its owner asks (setting canaries)",
        rewrite=("NXDOMAIN",),
    )
