"""Keep answers for public names from leading into the private network (DNS rebinding).

A page of the attacker's may talk to its own name; once that name has the address of the router, it talks to the
router. The stage stands before the cache, so that cached answers pass it too, and behind the filter. It looks at the
name the client asked for: a public name that is an alias of an internal one is as bad as one with its address.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from sinkhole.config.schema import PRIVATE_NETWORKS
from sinkhole.errors import FormError
from sinkhole.protocol.message import Record
from sinkhole.protocol.names import fold, parents_of
from sinkhole.protocol.rdata import address_to_text, soa_record, svcb_parts
from sinkhole.protocol.reply import Ede
from sinkhole.protocol.types import EdeCode, QClass, QType
from sinkhole.resolver.answer import Answer
from sinkhole.resolver.explanation import Explanations
from sinkhole.resolver.handler import Handler
from sinkhole.resolver.query import Query

_TTL = 60
"""Seconds that the absence of what was taken out may be remembered."""

_IPV4_OCTETS = 4
_HERE = ("0.0.0.0/8", "::/128")
"""Unspecified addresses, which many systems take for themselves."""
_EMBEDDED = ("::ffff:0:0/96", "64:ff9b::/96")
"""IPv4 inside IPv6 (RFC 4291, section 2.5.5.2; RFC 6052): judged by the address inside, the first kind always bad."""

_NETWORKS = tuple(map(ipaddress.ip_network, (*PRIVATE_NETWORKS, *_HERE)))
_MAPPED, _NAT64 = map(ipaddress.IPv6Network, _EMBEDDED)
# None of those in IPv4 is smaller than a /16, so two octets decide.
_PRIVATE_STARTS = frozenset(
    part.network_address.packed[:2]
    for network in _NETWORKS
    if network.version == 4
    for part in ([network] if network.prefixlen == 16 else network.subnets(new_prefix=16))
)
_PRIVATE_FIRSTS = frozenset(
    octet
    for network in (*_NETWORKS, _MAPPED, _NAT64)
    if network.version == 6
    for octet in range(network.network_address.packed[0], network.broadcast_address.packed[0] + 1)
)
"""First octets of addresses in IPv6 that have to be looked at closely."""
_WHY = "private address of a public name"


class Rebinding:
    """The stage.

    Args:
        allowed: names that, with all names below them, may have private addresses.
        explanations: says why something is missing.
    """

    def __init__(self, allowed: Iterable[bytes], explanations: Explanations) -> None:
        self._allowed = frozenset(map(fold, allowed))
        self._explanations = explanations

    async def __call__(self, query: Query, forward: Handler) -> Answer:
        """Return the answer of `forward` without its private addresses."""
        answer = await forward(query)
        private = [record for record in answer.body.answer if is_private_record(record)]
        if not private or any(name in self._allowed for name in parents_of(query.asked.key)):
            return answer
        return _without(answer, private, query, self._explanations.worded(query, EdeCode.BLOCKED, _WHY))


def is_private(address: str) -> bool:
    """Return whether an address is of this host or this network, and none that a public name has reason to have."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _MAPPED:
            return True  # nobody has a reason to publish one, whatever is inside
        if parsed in _NAT64:
            parsed = ipaddress.IPv4Address(parsed.packed[12:])
    return any(parsed in network for network in _NETWORKS)


def may_be_private(addresses: Iterable[bytes]) -> bool:
    """Return whether any of some packed addresses may be private; surely not where the answer is no."""
    return any(
        address[:2] in _PRIVATE_STARTS if len(address) == _IPV4_OCTETS else address[0] in _PRIVATE_FIRSTS
        for address in addresses
    )


def is_private_record(record: Record) -> bool:
    """Return whether a record leads to a private address; one that cannot be read does not."""
    if record.rtype == QType.A and record.rclass == QClass.IN:
        return record.rdata[:2] in _PRIVATE_STARTS
    if record.rtype in (QType.A, QType.AAAA):
        return is_private(address_to_text(record.rdata))
    if record.rtype in (QType.SVCB, QType.HTTPS):
        try:
            parts = svcb_parts(record)
        except FormError:
            return False  # the filter refuses the whole answer
        return any(map(is_private, parts.ipv4hint + parts.ipv6hint))
    return False


def _without(answer: Answer, private: list[Record], query: Query, why: Ede) -> Answer:
    kept = tuple(record for record in answer.body.answer if record not in private)
    # Signatures of a set that is no longer whole would only make it bogus.
    kept = tuple(record for record in kept if not (record.rtype == QType.RRSIG and _covers(record, private)))
    authority = answer.body.authority
    if not any(record.rtype == query.question.qtype for record in kept):
        authority = (soa_record(query.question.name, _TTL, _TTL),)
    body = replace(answer.body, answer=kept, authority=authority, ad=False, ede=(*answer.body.ede, why))
    return replace(answer, body=body)


def _covers(signature: Record, records: list[Record]) -> bool:
    return any(signature.rdata[:2] == record.rtype.to_bytes(2, "big") for record in records)
