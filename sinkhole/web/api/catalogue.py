"""The catalogue: what is known of AI vendors, products, hosts, categories and ways round policy."""

import datetime as dt
from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from sinkhole.app.state import State
from sinkhole.catalogue.search import search
from sinkhole.catalogue.summary import summarise
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.vendor import CatalogueDomain, Product, Stated, Vendor
from sinkhole.web.model import Model, Nothing, Page, Paged, Word, page_of
from sinkhole.web.problem import not_found


class Summary(Model):
    """Numbers of the catalogue; see `sinkhole catalogue stats`."""

    version: int
    feed: str | None = Field(description="That it was synced by; null: the one of this installation.")
    faults: dict[str, str]
    vendors: int
    products: int
    not_separable: int
    domains: int
    opt_in: int
    confirmed: int
    own_knowledge: int
    stale: int
    owners: dict[str, int]
    documented: int
    data_use: int
    by_kind: dict[str, int]
    by_category: dict[str, int]
    by_jurisdiction: dict[str, int]
    by_way: dict[str, int]


class Fact(Model):
    """A fact with what it rests on."""

    value: str
    confidence: str
    source: str

    @classmethod
    def of(cls, stated: Stated) -> "Fact":
        """Return a fact of the catalogue."""
        return cls(value=stated.value, confidence=stated.confidence, source=stated.source)


class Domain(Model):
    """A domain of a product."""

    name: str
    match: str
    role: str
    opt_in: bool
    source: str
    first_seen: str
    last_confirmed: str | None

    @classmethod
    def of(cls, domain: CatalogueDomain) -> "Domain":
        """Return a domain of the catalogue."""
        return cls(**(asdict(domain) | {"match": domain.match.value, "role": domain.role.value}))


class ProductOf(Model):
    """A product of a vendor."""

    id: str
    name: str
    categories: list[str]
    separable: bool
    note: str | None
    serves: list[str]
    domains: list[Domain]

    @classmethod
    def of(cls, product: Product) -> "ProductOf":
        """Return a product of the catalogue."""
        return cls(
            id=product.id, name=product.name, categories=list(product.categories), separable=product.separable,
            note=product.note, serves=list(product.serves), domains=[Domain.of(one) for one in product.domains],
        )  # fmt: skip


class DataUseOf(Model):
    """What a vendor says of the data it is given."""

    trains_on_input: str
    opt_out: str | None
    retention: str | None
    storage: list[str]
    source: str
    read: str


class VendorLine(Model):
    """A vendor in a list."""

    id: str
    name: str
    kind: str
    jurisdiction: str
    owner: str
    categories: list[str]
    products: int
    domains: int

    @classmethod
    def of(cls, vendor: Vendor) -> "VendorLine":
        """Return a vendor of the catalogue."""
        return cls(
            id=vendor.id, name=vendor.name, kind=vendor.kind.value, jurisdiction=vendor.jurisdiction.value,
            owner=vendor.owner.value, categories=_categories(vendor), products=len(vendor.products),
            domains=sum(len(product.domains) for product in vendor.products),
        )  # fmt: skip


class Dossier(Model):
    """All that is known of a vendor."""

    id: str
    name: str
    kind: str
    owner: Fact
    jurisdiction: Fact
    confidence: str
    source: str
    note: str | None
    not_default: bool
    data_use: DataUseOf | None
    never_block: list[str]
    products: list[ProductOf]
    served_by: list[str] = Field(description="Products of others through which its models can be used.")


class VendorPlace(Model):
    """A vendor."""

    vendor: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]


class VendorQuery(Paged):
    """Which vendors."""

    category: Word | None = Field(None, description="Only those with a product of this category.")
    jurisdiction: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = Field(None, description="Country code.")


class SearchQuery(Model):
    """What is looked for."""

    text: Word = Field(description="A word, or a host name.")


class Found(Model):
    """A vendor that fits, and what of it does."""

    vendor: str
    name: str
    where: str
    text: str


class AllFound(Model):
    """What a search found, the best first."""

    items: list[Found]


class Category(Model):
    """A category, and how many vendors have a product of it."""

    id: str
    meaning: str
    vendors: int


class Categories(Model):
    """All categories."""

    items: list[Category]


class Way(Model):
    """A way round policy."""

    id: str
    name: str
    meaning: str
    note: str | None
    categories: list[str]
    domains: list[str]

    @classmethod
    def of(cls, way: Bypass) -> "Way":
        """Return a way of the catalogue."""
        return cls(
            id=way.id, name=way.name, meaning=way.meaning, note=way.note, categories=list(way.categories),
            domains=[domain.name for domain in way.domains],
        )  # fmt: skip


class Ways(Model):
    """All ways round policy that are known."""

    items: list[Way]


def catalogue(state: State, query: Nothing) -> Summary:
    """Count what is known, and how well."""
    found = state.catalogue()
    numbers = asdict(summarise(found.catalogue, dt.datetime.now(dt.UTC).date()))
    return Summary(feed=found.feed, faults=found.faults, **numbers)


def search_catalogue(state: State, query: SearchQuery) -> AllFound:
    """Find vendors by a word or a host name."""
    found = search(state.catalogue().catalogue, query.text)
    return AllFound(
        items=[Found(vendor=m.vendor.id, name=m.vendor.name, where=m.where, text=m.text) for m in found[:500]]
    )


def list_vendors(state: State, query: VendorQuery) -> Page[VendorLine]:
    """List vendors by their ids."""
    found = [
        VendorLine.of(vendor)
        for vendor in state.catalogue().catalogue.vendors
        if query.category in (None, *_categories(vendor)) and query.jurisdiction in (None, vendor.jurisdiction.value)
    ]
    return page_of(found, query, lambda one: one.id)


def show_vendor(state: State, place: VendorPlace) -> Dossier:
    """Show all that is known of a vendor."""
    catalogue = state.catalogue().catalogue
    vendor = catalogue.by_id.get(place.vendor)
    if vendor is None:
        raise not_found(f"vendor {place.vendor!r}")
    use = vendor.data_use
    return Dossier(
        id=vendor.id, name=vendor.name, kind=vendor.kind.value, owner=Fact.of(vendor.owner),
        jurisdiction=Fact.of(vendor.jurisdiction), confidence=vendor.confidence, source=vendor.source,
        note=vendor.note, not_default=vendor.not_default,
        data_use=None if use is None else DataUseOf(
            **(asdict(use) | {"trains_on_input": use.trains_on_input.value, "storage": list(use.storage)})
        ),
        never_block=list(vendor.never_block), products=[ProductOf.of(product) for product in vendor.products],
        served_by=[product.id for product in catalogue.products.values() if vendor.id in product.serves],
    )  # fmt: skip


def list_categories(state: State) -> Categories:
    """List categories."""
    catalogue = state.catalogue().catalogue
    counts = summarise(catalogue, dt.datetime.now(dt.UTC).date()).by_category
    return Categories(
        items=[
            Category(id=name, meaning=entry.meaning, vendors=counts.get(name, 0))
            for name, entry in sorted(catalogue.categories.items())
        ]
    )


def list_ways(state: State) -> Ways:
    """List the ways round policy that are known."""
    return Ways(items=[Way.of(way) for way in state.catalogue().catalogue.bypass])


def _categories(vendor: Vendor) -> list[str]:
    return sorted({category for product in vendor.products for category in product.categories})
