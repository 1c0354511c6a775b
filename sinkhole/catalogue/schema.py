"""The form of a vendor file in `blocklists/vendors/`, and its translation into the values policy works with."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.vendor import (
    CatalogueDomain,
    DataUse,
    DomainMatch,
    DomainRole,
    Product,
    Stated,
    Training,
    Vendor,
    VendorKind,
)
from sinkhole.policy.verdict import Action

# Patterns are texts, for pydantic's own engine: to Python's a final `$` would let a line end pass behind an id.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Confidence = Literal["high", "medium", "low"]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Version = Annotated[int, Field(ge=2026010100, le=0xFFFFFFFF)]
"""A number of a publication, yyyymmddnn; it must fit a serial number of the DNS too (RFC 1982)."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DomainEntry(_Table):
    """One `[[products.domains]]` table."""

    name: Text
    role: DomainRole = DomainRole.WEB
    match: DomainMatch = DomainMatch.SUFFIX
    opt_in: bool = False
    source: Text
    first_seen: dt.date
    last_confirmed: dt.date | None = None

    def to_domain(self) -> CatalogueDomain:
        """Return the value that policy works with."""
        confirmed = None if self.last_confirmed is None else self.last_confirmed.isoformat()
        return CatalogueDomain(
            self.name, self.role, self.match, self.opt_in, self.source, self.first_seen.isoformat(), confirmed
        )


class ProductEntry(_Table):
    """One `[[products]]` table. Products that DNS cannot tell apart from something else have no domains and a note."""

    slug: Slug
    name: Text
    categories: tuple[Slug, ...] = Field(min_length=1)
    separable: bool = True
    note: Text | None = None
    serves: tuple[Slug, ...] = ()
    not_default: bool | None = None
    domains: tuple[DomainEntry, ...] = ()


class DataUseEntry(_Table):
    """The `[data_use]` table: what the vendor says of the data it is given; what it does not say is left out."""

    trains_on_input: Training
    opt_out: Text | None = None
    retention: Text | None = None
    storage: tuple[Country, ...] = ()
    source: Text
    read: dt.date

    def to_data_use(self) -> DataUse:
        """Return the value that policy works with."""
        return DataUse(
            self.trains_on_input, self.opt_out, self.retention, self.storage, self.source, self.read.isoformat()
        )


class VendorFile(_Table):
    """A whole file; its name is `<id>.toml`."""

    id: Slug
    name: Text
    kind: VendorKind
    owner: Text
    owner_confidence: Confidence
    owner_source: Text
    jurisdiction: Country
    jurisdiction_confidence: Confidence
    jurisdiction_source: Text
    confidence: Confidence
    source: Text
    not_default: bool = False
    never_block: tuple[Text, ...] = ()
    note: Text | None = None
    data_use: DataUseEntry | None = None
    products: tuple[ProductEntry, ...] = Field(min_length=1)

    def to_vendor(self) -> Vendor:
        """Return the value that policy works with."""
        return Vendor(
            id=self.id,
            name=self.name,
            kind=self.kind,
            owner=Stated(self.owner, self.owner_confidence, self.owner_source),
            jurisdiction=Stated(self.jurisdiction, self.jurisdiction_confidence, self.jurisdiction_source),
            confidence=self.confidence,
            source=self.source,
            products=tuple(self._product(entry) for entry in self.products),
            never_block=self.never_block,
            not_default=self.not_default,
            note=self.note,
            data_use=None if self.data_use is None else self.data_use.to_data_use(),
        )

    def _product(self, entry: ProductEntry) -> Product:
        return Product(
            id=f"{self.id}/{entry.slug}",
            name=entry.name,
            categories=entry.categories,
            domains=tuple(domain.to_domain() for domain in entry.domains),
            separable=entry.separable,
            note=entry.note,
            serves=entry.serves,
            not_default=entry.not_default,
        )


class BypassFile(_Table):
    """A whole file of `blocklists/bypass/`; its name is `<id>.toml`."""

    id: Slug
    name: Text
    meaning: Text
    action: Literal["block", "monitor"] | None = None
    part_of_ai: bool = False
    categories: tuple[Slug, ...] = ()
    note: Text | None = None
    domains: tuple[DomainEntry, ...] = ()

    def to_bypass(self) -> Bypass:
        """Return the value that policy works with."""
        return Bypass(
            id=self.id,
            name=self.name,
            meaning=self.meaning,
            domains=tuple(domain.to_domain() for domain in self.domains),
            action=None if self.action is None else Action.from_text(self.action),
            part_of_ai=self.part_of_ai,
            categories=self.categories,
            note=self.note,
        )


class CategoryEntry(_Table):
    """One table of `blocklists/categories.toml`: what a category means, and what others call it."""

    name: Text
    meaning: Text
    cloudflare: tuple[Text, ...] = ()
    umbrella: tuple[Text, ...] = ()
    ut1: tuple[Text, ...] = ()


class PublicationFile(_Table):
    """The whole of `blocklists/catalogue.toml`: which publication of the catalogue this is."""

    version: Version
    published: dt.date
