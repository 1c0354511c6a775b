"""Names that mean something on this host or in this network only: answered here, never sent upstream.

RFC 6761 (localhost, invalid, test), 6762 (local), 6303 and 7793 (private reverse zones), 7686 (onion), 8375
(home.arpa), 9462 (resolver.arpa), 9476 (alt).
"""

from collections.abc import Iterable

from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold, name_from_text, parents_of
from sinkhole.protocol.question import Question
from sinkhole.protocol.rdata import address_record, soa_record
from sinkhole.protocol.reply import ReplyBody
from sinkhole.protocol.types import QType, Rcode

TTL = 10_800
"""TTL and negative TTL of locally served zones (RFC 6303, section 3)."""

_IN = 1

LOCALHOST = name_from_text("localhost")
RESOLVER_ARPA = name_from_text("resolver.arpa")
HOME_ARPA = name_from_text("home.arpa")
_LOOPBACK_PTR = name_from_text("1.0.0.127.in-addr.arpa")

NOTHING = frozenset(map(name_from_text, ("invalid", "test", "onion", "local", "alt")))
"""Domains of which nothing exists in the DNS, the domain itself included."""

ALWAYS_OURS = frozenset(map(name_from_text, ("localhost", "invalid", "onion")))
"""Domains that no setting can have forwarded: their RFCs leave no choice (RFC 6761, 7686)."""

REVERSE_ZONES = (
    "10.in-addr.arpa", *(f"{n}.172.in-addr.arpa" for n in range(16, 32)), "168.192.in-addr.arpa",
    "0.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "2.0.192.in-addr.arpa",
    "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa", "255.255.255.255.in-addr.arpa",
    *(f"{n}.100.in-addr.arpa" for n in range(64, 128)),
    "0." * 32 + "ip6.arpa", "1." + "0." * 31 + "ip6.arpa",
    "d.f.ip6.arpa", "8.e.f.ip6.arpa", "9.e.f.ip6.arpa", "a.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
)  # fmt: skip
"""RFC 6303, section 4, and the shared address space 100.64.0.0/10 (RFC 7793)."""

EMPTY_ZONES = frozenset(map(name_from_text, REVERSE_ZONES)) | {HOME_ARPA}
"""Zones with an apex and nothing below it."""


_ENDINGS = (*(name for name in NOTHING), LOCALHOST, name_from_text("arpa"))
"""What every special name ends in, among others: the look that spares most names a closer one."""


class SpecialNames:
    """Answers special names.

    Args:
        forwarded: zones that the administrator has forwarded to servers of their own, such as the reverse zones of
            the network; they and the names below them are not special.
    """

    def __init__(self, forwarded: Iterable[bytes]) -> None:
        self._forwarded = frozenset(map(fold, forwarded)) - ALWAYS_OURS

    @property
    def zones(self) -> frozenset[bytes]:
        """Names at or below which all special names are."""
        return NOTHING | EMPTY_ZONES | {LOCALHOST, RESOLVER_ARPA}

    def find(self, question: Question, *, wants_dnssec: bool, exists: bool) -> ReplyBody | None:
        """Return the answer to `question`, or None where the name is nothing special.

        Args:
            wants_dnssec: whether the client set DO.
            exists: whether there are own records below the name, so that it must not be denied.
        """
        if not question.key.endswith(_ENDINGS):
            return None
        for name in parents_of(question.key):
            if name in self._forwarded:
                return None
            if name in NOTHING:
                return _deny(name, exists=exists)
            if name in EMPTY_ZONES:
                return _empty_zone(name, question, wants_dnssec=wants_dnssec, exists=exists)
            if name == LOCALHOST:
                return _localhost(question)
            if name == RESOLVER_ARPA:
                # No encrypted listener to advertise: NODATA, the name exists (RFC 9462, section 6.4).
                return _deny(name, exists=True)
        return None


def _deny(zone: bytes, *, exists: bool) -> ReplyBody:
    rcode = Rcode.NOERROR if exists else Rcode.NXDOMAIN
    return ReplyBody(rcode, authority=(soa_record(zone, TTL, TTL),), aa=True)


def _give(*records: Record) -> ReplyBody:
    return ReplyBody(Rcode.NOERROR, answer=records, aa=True)


def _localhost(question: Question) -> ReplyBody:
    """Answer localhost and all below it with the loopback addresses (RFC 6761, section 6.3)."""
    address = {QType.A: "127.0.0.1", QType.AAAA: "::1"}.get(question.qtype)
    return _give(address_record(question.name, address, TTL)) if address else _deny(LOCALHOST, exists=True)


def _empty_zone(zone: bytes, question: Question, *, wants_dnssec: bool, exists: bool) -> ReplyBody | None:
    if question.key == _LOOPBACK_PTR:
        if question.qtype != QType.PTR:
            return _deny(zone, exists=True)
        return _give(Record(question.name, QType.PTR, _IN, TTL, LOCALHOST))
    if question.key != zone:
        return _deny(zone, exists=exists)
    if question.qtype == QType.SOA:
        return _give(soa_record(zone, TTL, TTL))
    if question.qtype == QType.NS:
        return _give(Record(question.name, QType.NS, _IN, TTL, zone))
    if zone == HOME_ARPA and question.qtype == QType.DS and wants_dnssec:
        # The one query that must reach the public DNS, or a validator takes the zone for bogus (RFC 8375, section 4).
        return None
    return _deny(zone, exists=True)
