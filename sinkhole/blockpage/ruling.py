"""What policy says of the name that somebody wanted, by the very function that answers by it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sinkhole.policy.engine import Policy
from sinkhole.policy.groups import Scope
from sinkhole.policy.identity import Identity
from sinkhole.policy.verdict import NO_MATCH, Verdict
from sinkhole.protocol.names import name_from_text
from sinkhole.protocol.types import EdeCode, QType

Follow = Callable[[str, int, str, Identity | None], Awaitable[Verdict | None]]
"""Judges what the answer of a name leads to, for (name, type, client, identity); None where it could not in time."""


class Kind(Enum):
    """What the page has to say."""

    BLOCKED = "blocked"
    COACHED = "coached"
    OPEN = "open"
    """The name is not blocked for this client: an old answer led here."""
    UNNAMED = "unnamed"
    """Nobody said which name was wanted."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for one client and one name.

    Attributes:
        ede: code of the extended DNS error that its answer has.
        policy: the policy it was judged by, and `scope` that of the client.
    """

    kind: Kind
    name: str
    verdict: Verdict
    ede: int
    policy: Policy
    scope: Scope

    @property
    def status(self) -> int:
        """The HTTP status: 451 where law wants it (RFC 7725), 503 for what is only on its way, else 403."""
        if self.kind is Kind.OPEN:
            return 503
        if self.kind is Kind.UNNAMED:
            return 404
        return 451 if self.ede == EdeCode.CENSORED else 403


class Judge:
    """Says what holds.

    Args:
        policy: returns the policy in force.
        identity: returns who is at an address.
        follow: is asked where a name is not blocked by itself.
    """

    def __init__(
        self, policy: Callable[[], Policy], identity: Callable[[str], Identity | None], follow: Follow
    ) -> None:
        self._policy = policy
        self._identity = identity
        self._follow = follow

    async def rule(self, client: str, name: str | None, when: datetime) -> Ruling:
        """Return what holds for a client and a name at an aware time."""
        policy, identity = self._policy(), self._identity(client)
        scope = policy.scope_of(client, identity)
        how = policy.answer_for(scope)
        if name is None:
            return Ruling(Kind.UNNAMED, "", NO_MATCH, how.ede, policy, scope)
        qtype = QType.AAAA if ":" in client else QType.A
        verdict = policy.decide(name_from_text(name), qtype, scope, when, client=client)
        if not verdict.is_blocked and verdict.override is None:
            verdict = await self._follow(name, qtype, client, identity) or verdict
        kind = Kind.COACHED if verdict.is_coached else Kind.BLOCKED if verdict.is_blocked else Kind.OPEN
        return Ruling(kind, name, verdict, how.ede if verdict.basis is None else verdict.basis.ede, policy, scope)

    def may_pose_as(self, client: str, name: str, when: datetime) -> bool:
        """Return whether a name may be answered for over TLS: it is blocked for the client, or was a moment ago.

        The latter is what an override lifted: whoever just read a notice may still be led here.
        """
        policy = self._policy()
        scope = policy.scope_of(client, self._identity(client))
        verdict = policy.decide(name_from_text(name), QType.A, scope, when, client=client)
        return verdict.is_blocked or verdict.override is not None
