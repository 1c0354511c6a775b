"""Ways round the resolver or round policy, as the catalogue knows them; loaded from TOML by `sinkhole.catalogue`."""

from dataclasses import dataclass

from sinkhole.policy.vendor import CatalogueDomain
from sinkhole.policy.verdict import Action


@dataclass(frozen=True, slots=True)
class Bypass:
    """One way: encrypted DNS of others, gateways to models, translation proxies, mirrors …

    Attributes:
        id: what statements name (`bypass:encrypted-dns`).
        action: of the statement that a fresh installation has, or None for none.
        part_of_ai: the subject `ai` reaches its domains too.
        categories: products of these categories are on this way as well.
    """

    id: str
    name: str
    meaning: str
    domains: tuple[CatalogueDomain, ...]
    action: Action | None = None
    part_of_ai: bool = False
    categories: tuple[str, ...] = ()
    note: str | None = None
