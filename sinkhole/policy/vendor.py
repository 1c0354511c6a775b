"""The catalogue as policy sees it: vendor, product, domain; loaded from TOML by `sinkhole.catalogue`."""

from dataclasses import dataclass
from enum import Enum


class DomainRole(Enum):
    """What a host is for."""

    WEB = "web"
    APP = "app"
    API = "api"
    CDN = "cdn"
    AUTH = "auth"
    TELEMETRY = "telemetry"
    DOCS = "docs"
    SHARED = "shared"


class DomainMatch(Enum):
    """How a catalogue domain matches: the name and all below it, the name alone, or with one `*` label."""

    SUFFIX = "suffix"
    EXACT = "exact"
    WILDCARD = "wildcard"


@dataclass(frozen=True, slots=True)
class CatalogueDomain:
    """One domain of a product.

    `name` is a lower-case A-label without final dot; with `WILDCARD`, one label is `*` and stands for exactly one
    label. `opt_in` domains are matched only by statements on their own product or on the domain itself.
    `source` and `seen` (an ISO date) say where and when it was read.
    """

    name: str
    role: DomainRole
    match: DomainMatch
    opt_in: bool
    source: str
    seen: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product; `id` is `vendor/slug`. `separable` is False where DNS cannot tell it from its host service."""

    id: str
    name: str
    categories: tuple[str, ...]
    domains: tuple[CatalogueDomain, ...]
    separable: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor. `jurisdiction` is ISO 3166-1 alpha-2, `ZZ` for unknown; `confidence` is high, medium or low.

    `never_block` are names that no rule about this vendor may ever hit, each exact.
    `not_default` vendors (mixed-purpose products) are outside the subject `ai`, but inside all others.
    """

    id: str
    name: str
    owner: str
    jurisdiction: str
    owner_confidence: str
    confidence: str
    source: str
    products: tuple[Product, ...]
    never_block: tuple[str, ...] = ()
    not_default: bool = False
    note: str | None = None
