"""One row of a list, whatever format it came in."""

from dataclasses import dataclass
from enum import Enum


class Match(Enum):
    """How the `name` of a rule is compared with a QNAME."""

    EXACT = "exact"
    """The name alone."""
    SUFFIX = "suffix"
    """The name and all names below it."""
    BELOW = "below"
    """All names below it, not the name itself (RPZ and wildcard rows `*.x`)."""
    MASK = "mask"
    """An adblock mask: text with `*`, `|`, `||` and `^`, compared with the whole name (`name` holds the mask)."""
    REGEX = "regex"
    """A regular expression searched in the name (`name` holds the expression, without slashes)."""
    ADDRESS = "address"
    """An address in an answer that is in a network (`name` holds it, such as `192.0.2.0/24`); no QNAME."""


class RuleAction(Enum):
    """What a rule does. A feed can only block; ALLOW counts within its own feed, REWRITE only in a local list."""

    BLOCK = "block"
    ALLOW = "allow"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True)
class Condition:
    """The modifiers of a rule that depend on the query (adblock DNS syntax).

    Attributes:
        qtypes: applies to these types only; None for all.
        not_qtypes: applies to all types but these.
        clients: client addresses, networks or names it is limited to; each may begin with `~` (all but).
        denyallow: does not apply to these names and the names below them.
    """

    qtypes: tuple[int, ...] | None = None
    not_qtypes: tuple[int, ...] = ()
    clients: tuple[str, ...] = ()
    denyallow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One accepted row.

    `name` is a lower-case A-label without final dot, unless `match` is MASK, REGEX or ADDRESS. `rewrite` is the text of
    an answer (`A 192.0.2.1`, `NXDOMAIN`, `CNAME x.example`) of a REWRITE rule. `line` counts from 1.
    `disables` marks a `$badfilter` row: the same row without that modifier does not apply.
    """

    match: Match
    name: str
    action: RuleAction = RuleAction.BLOCK
    important: bool = False
    condition: Condition | None = None
    rewrite: str | None = None
    disables: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that was not accepted: where, why, and the first 120 characters of it."""

    line: int
    column: int
    why: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.why}"
