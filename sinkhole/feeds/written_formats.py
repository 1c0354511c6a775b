"""How each format of other programs writes a name that is blocked, and what it cannot say.

A list may block less than the catalogue says, and tells so in its head; it never blocks more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sinkhole.feeds.print_rule import print_rule
from sinkhole.policy.rule import Match, Rule, RuleAction
from sinkhole.policy.vendor import DomainMatch

_Rows = Callable[[str], tuple[str, ...]]
EXACT, SUFFIX, WILDCARD = DomainMatch.EXACT, DomainMatch.SUFFIX, DomainMatch.WILDCARD


@dataclass(frozen=True, slots=True)
class WrittenFormat:
    """A format that lists are written in.

    Attributes:
        comment: begins a row that says nothing.
        meaning: what a row blocks, in words.
        blocks: the rows of a name, by how it matches; what is not here cannot be said.
        opens: the rows of a name that stays open below one that is blocked; None where that cannot be said.
        opening: the first rows, given the version.
        reaches_below: whether a suffix is written with the names below it; else its own name stands alone.
    """

    comment: str
    meaning: str
    blocks: Mapping[DomainMatch, _Rows]
    opens: _Rows | None = None
    opening: Callable[[int], tuple[str, ...]] = field(default=lambda version: ())
    reaches_below: bool = True


def _adblock(match: Match, action: RuleAction = RuleAction.BLOCK) -> _Rows:
    return lambda name: (print_rule(Rule(match, name, action)),)


def _one_label(name: str) -> tuple[str, ...]:
    """Write a wildcard, whose `*` stands for one label or a part of one, as an expression."""
    expression = name.replace(".", "\\.").replace("*", "[^.]+")
    return (print_rule(Rule(Match.REGEX, f"^{expression}$")),)


def _rpz_head(version: int) -> tuple[str, ...]:
    # The draft asks for no more of an apex than any zone has (RFC 1035, section 5.2); nobody asks it.
    return ("$TTL 3600", f"@ SOA localhost. hostmaster.localhost. {version} 86400 3600 2592000 3600", "@ NS localhost.")


WRITTEN: Final[Mapping[str, WrittenFormat]] = MappingProxyType({
    "hosts": WrittenFormat(
        comment="#",
        meaning="each name alone; a hosts file cannot say 'and all names below'",
        blocks={EXACT: lambda name: (f"0.0.0.0 {name}",), SUFFIX: lambda name: (f"0.0.0.0 {name}",)},
        reaches_below=False,
    ),
    "domains": WrittenFormat(
        comment="#",
        meaning="each name and all names below it; hosts that are meant alone are left out",
        blocks={SUFFIX: lambda name: (name,)},
    ),
    "adblock": WrittenFormat(
        comment="!",
        meaning="||x^ is x and all names below it, |x^ is x alone, /…/ has one label that varies, @@ stays open",
        blocks={SUFFIX: _adblock(Match.SUFFIX), EXACT: _adblock(Match.EXACT), WILDCARD: _one_label},
        opens=_adblock(Match.EXACT, RuleAction.ALLOW),
    ),
    "rpz": WrittenFormat(
        comment=";",
        meaning="x is x alone, *.x is all names below it; the answer is NXDOMAIN",
        blocks={
            SUFFIX: lambda name: (f"{name} CNAME .", f"*.{name} CNAME ."),
            EXACT: lambda name: (f"{name} CNAME .",),
        },
        opens=lambda name: (f"{name} CNAME rpz-passthru.",),
        opening=_rpz_head,
    ),
    "dnsmasq": WrittenFormat(
        comment="#",
        meaning="each name and all names below it; hosts that are meant alone are left out; the answer is NXDOMAIN",
        blocks={SUFFIX: lambda name: (f"address=/{name}/",)},
        opens=lambda name: (f"server=/{name}/#",),
    ),
    "unbound": WrittenFormat(
        comment="#",
        meaning="local-zone is the name and all names below it (NXDOMAIN), local-data the name alone (null address)",
        blocks={
            SUFFIX: lambda name: (f'local-zone: "{name}." always_nxdomain',),
            EXACT: lambda name: (f'local-data: "{name}. A 0.0.0.0"', f'local-data: "{name}. AAAA ::"'),
        },
        opens=lambda name: (f'local-zone: "{name}." always_transparent',),
        opening=lambda version: ("server:",),
    ),
})  # fmt: skip
"""Every format that is written, by the name under which it is read."""
