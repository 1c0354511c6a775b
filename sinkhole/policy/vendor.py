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
    `source` says where it was read; `first_seen` and `last_confirmed` (ISO dates) of which days the oldest and the
    newest of it are. `last_confirmed` is None for our own knowledge, which nothing has confirmed yet.
    """

    name: str
    role: DomainRole
    match: DomainMatch
    opt_in: bool
    source: str
    first_seen: str
    last_confirmed: str | None


@dataclass(frozen=True, slots=True)
class Product:
    """One product; `id` is `vendor/slug`. `separable` is False where DNS cannot tell it from its host service.

    `serves` are the ids of vendors whose models can be used through it. `not_default` is that of the vendor unless the
    product says otherwise.
    """

    id: str
    name: str
    categories: tuple[str, ...]
    domains: tuple[CatalogueDomain, ...]
    separable: bool = True
    note: str | None = None
    serves: tuple[str, ...] = ()
    not_default: bool | None = None


class VendorKind(Enum):
    """Whether AI is what the vendor's products are, or one function of something that does more."""

    AI_NATIVE = "ai_native"
    AI_ENABLED = "ai_enabled"


class Training(Enum):
    """What a vendor says of training its models on what people type."""

    YES = "yes"
    NO = "no"
    OPT_OUT = "opt-out"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class DataUse:
    """What a vendor says of the data it is given, as read in `source` on the day `read` (ISO date).

    `storage` are countries (ISO 3166-1 alpha-2). What a source does not say is None or empty.
    """

    trains_on_input: Training
    opt_out: str | None
    retention: str | None
    storage: tuple[str, ...]
    source: str
    read: str


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact about a company with what it rests on; `confidence` is high, medium or low."""

    value: str
    confidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor. The value of `jurisdiction` is ISO 3166-1 alpha-2, `ZZ` for unknown.

    `confidence` (high, medium or low) and `source` are of the domains.
    `never_block` are names that no rule about this vendor may ever hit, each exact.
    `not_default` vendors (mixed-purpose products) are outside the subject `ai`, but inside all others.
    """

    id: str
    name: str
    kind: VendorKind
    owner: Stated
    jurisdiction: Stated
    confidence: str
    source: str
    products: tuple[Product, ...]
    never_block: tuple[str, ...] = ()
    not_default: bool = False
    note: str | None = None
    data_use: DataUse | None = None
