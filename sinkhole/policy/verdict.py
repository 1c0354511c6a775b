"""What policy says of one query: the action, and everything that explains it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, IntEnum
from typing import Final

from sinkhole.policy.basis import Basis

_NULL: Final = ("0.0.0.0", "::")  # noqa: S104 - the null answer, not an address we bind


class Action(IntEnum):
    """What to do with a query; of two, the greater is the stricter.

    COACH answers like BLOCK, until the client has read the notice on the block page and gone on.
    """

    ALLOW = 0
    MONITOR = 10
    COACH = 20
    BLOCK = 30

    @classmethod
    def from_text(cls, text: str) -> "Action":
        """Read `allow`, `monitor`, `coach` or `block`; raise ValueError for another word."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"action is one of allow, monitor, coach, block; found {text!r}") from None

    def __str__(self) -> str:
        return self.name.lower()


class BlockMode(Enum):
    """How a blocked name is answered; see `BlockAnswer`."""

    ADDRESS = "address"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    """The answer to blocked names of one group: mode, sinkhole addresses, TTL in seconds, EDE code 15, 16 or 17."""

    mode: BlockMode = BlockMode.ADDRESS
    ipv4: str | None = "0.0.0.0"  # noqa: S104 - the null answer, not an address we bind
    ipv6: str | None = "::"
    ttl: int = 10
    ede: int = 15

    @property
    def has_page(self) -> bool:
        """Whether an address leads anywhere, so that a page can be shown there."""
        return any(address is not None and address not in _NULL for address in (self.ipv4, self.ipv6))

    def to_page(self) -> "BlockAnswer":
        """Return the answer that leads to the page, whatever the mode; the same where there is none."""
        return replace(self, mode=BlockMode.ADDRESS) if self.has_page else self

    def with_page_of(self, server: "BlockAnswer") -> "BlockAnswer":
        """Return the answer of a group, with the page of the server where it answers with no address and has none."""
        if self.mode is BlockMode.ADDRESS or self.has_page:
            return self
        return replace(self, ipv4=server.ipv4, ipv6=server.ipv6)

    def of_group(self, mode: BlockMode, before: "BlockAnswer | None") -> "BlockAnswer":
        """Return what is kept of a group that says its mode alone, where this is the answer of the server.

        Where the mode has no address none is kept, so that the page of the server is that of the moment.

        Args:
            before: what the group said before; addresses of its own stay.
        """
        if mode is BlockMode.ADDRESS:
            has_own = before is not None and (before.mode is BlockMode.ADDRESS or before.has_page)
            return replace(before or self, mode=mode) if has_own else replace(self, mode=mode)
        return replace(self, mode=mode, ipv4=_NULL[0], ipv6=_NULL[1]) if before is None else replace(before, mode=mode)


@dataclass(frozen=True, slots=True)
class Loser:
    """A statement or feed row that also matched and was outranked; `why` says by what."""

    action: Action
    subject: str
    scope: str
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of `Policy.decide`.

    Attributes:
        action: what to do.
        subject: the subject of the statement that decided (`vendor:deepseek`), or None where nothing matched.
        scope: `all` or `group:NAME` of that statement.
        statement: number of the statement in the store, or None.
        override: what went before statements (`exception:12`, `pause:3`, `lockdown:4`, `grant:7`), or None. Subject,
            scope and reason are then those of the override.
        rule: the row that matched the name, in words (`deepseek.com and below`), or None.
        vendor, product, categories, jurisdiction: the catalogue entry of the name; ids, empty where it has none.
        feed, line: the feed row that matched, where one did.
        group: the most specific group of the client, or None.
        via: the name in the answer (CNAME, SVCB target, address) that matched, or None for the QNAME itself.
        basis: who wanted it, as the statement says, or None.
        until: when the statement expires, or None.
        rewrite: with BLOCK by a local list, the records, alias or response code that it gives in place of the blocked
            answer (`A 192.0.2.1`, `CNAME x.example`, `NXDOMAIN`); else empty.
        losers: other matches and why they lost; filled only when asked to explain.
    """

    action: Action
    subject: str | None = None
    scope: str | None = None
    statement: int | None = None
    rule: str | None = None
    vendor: str | None = None
    product: str | None = None
    categories: tuple[str, ...] = ()
    jurisdiction: str | None = None
    feed: str | None = None
    line: int | None = None
    group: str | None = None
    via: str | None = None
    reason: str | None = None
    basis: Basis | None = None
    until: datetime | None = None
    rewrite: tuple[str, ...] = ()
    losers: tuple[Loser, ...] = ()
    override: str | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the name must not be answered truly: it is blocked for good, or coached."""
        return self.action >= Action.COACH

    @property
    def is_coached(self) -> bool:
        """Whether it is blocked until the client has read the notice."""
        return self.action is Action.COACH

    @property
    def is_locked_down(self) -> bool:
        """Whether it is blocked by a lockdown, which no statement outweighs: other overrides block nothing."""
        return self.is_blocked and self.override is not None


NO_MATCH: Final = Verdict(Action.ALLOW)
"""The verdict for a name that no rule knows."""
