"""Find out who asks: address, identity and scope, under the policy and the identities of the moment."""

from collections.abc import Callable

from sinkhole.policy.identity import Identity
from sinkhole.policy.member import MemberKind
from sinkhole.protocol.client_claim import ClientClaim
from sinkhole.resolver.policy_box import PolicyBox
from sinkhole.resolver.query import Client

_NOBODY = Identity()
IdentityOf = Callable[[str], Identity | None]
"""Gives who is at an address, None where that is not known."""


class Who:
    """Answers who a client is.

    Args:
        box: where the policy in force is found.
        identity_of: who is at an address.
    """

    def __init__(self, box: PolicyBox, identity_of: IdentityOf) -> None:
        self._box = box
        self._identity_of = identity_of

    def at(self, address: str) -> Client:
        """Return the client at an address."""
        identity = self._identity_of(address)
        return Client(address, self._box.current.scope_of(address, identity), identity)

    def is_wanted(self, address: str) -> bool:
        """Return whether groups ask for more of a client than is known."""
        policy = self._box.current
        if not policy.knows_identities:
            return False
        known = self._identity_of(address)
        return known is None or (not known.names and MemberKind.NAME in policy.member_kinds)

    def named(self, forwarder: str, claim: ClientClaim) -> Client:
        """Return the client that a trusted forwarder asks for.

        Where it names no address, its own still says in which networks the client is: the client is behind it. That
        address is not recorded as the client's, though.
        """
        known = (self._identity_of(claim.address) if claim.address else None) or _NOBODY
        ids = (claim.cpe_id,) if claim.cpe_id else ()
        identity = Identity(claim.mac or known.mac, known.names, (*ids, *known.ids))
        scope = self._box.current.scope_of(claim.address or forwarder, identity)
        text = claim.address or (f"mac:{claim.mac}" if claim.mac else f"id:{claim.cpe_id}")
        return Client(text, scope, identity, None if claim.address else forwarder)
