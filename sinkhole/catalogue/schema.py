"""The form of a vendor file in `blocklists/vendors/`, and its translation into the values policy works with."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, DomainRole, Product, Vendor

Slug = Annotated[str, StringConstraints(pattern=re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
Confidence = Literal["high", "medium", "low"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DomainEntry(_Table):
    """One `[[products.domains]]` table."""

    name: Text
    role: DomainRole = DomainRole.WEB
    match: DomainMatch = DomainMatch.SUFFIX
    opt_in: bool = False
    source: Text
    seen: dt.date


class ProductEntry(_Table):
    """One `[[products]]` table. Products that DNS cannot tell apart from something else have no domains and a note."""

    slug: Slug
    name: Text
    categories: tuple[Slug, ...] = Field(min_length=1)
    separable: bool = True
    note: Text | None = None
    domains: tuple[DomainEntry, ...] = ()


class VendorFile(_Table):
    """A whole file; its name is `<id>.toml`."""

    id: Slug
    name: Text
    owner: Text
    owner_confidence: Confidence
    jurisdiction: Annotated[str, StringConstraints(pattern=re.compile(r"^[A-Z]{2}$"))]
    confidence: Confidence
    source: Text
    not_default: bool = False
    never_block: tuple[Text, ...] = ()
    note: Text | None = None
    products: tuple[ProductEntry, ...] = Field(min_length=1)

    def to_vendor(self) -> Vendor:
        """Return the value that policy works with."""
        return Vendor(
            id=self.id,
            name=self.name,
            owner=self.owner,
            jurisdiction=self.jurisdiction,
            owner_confidence=self.owner_confidence,
            confidence=self.confidence,
            source=self.source,
            products=tuple(self._product(entry) for entry in self.products),
            never_block=self.never_block,
            not_default=self.not_default,
            note=self.note,
        )

    def _product(self, entry: ProductEntry) -> Product:
        domains = tuple(
            CatalogueDomain(d.name, d.role, d.match, d.opt_in, d.source, d.seen.isoformat()) for d in entry.domains
        )
        return Product(f"{self.id}/{entry.slug}", entry.name, entry.categories, domains, entry.separable, entry.note)


class CategoryEntry(_Table):
    """One table of `blocklists/categories.toml`: what a category means."""

    name: Text
    meaning: Text


def file_name(vendor_id: str) -> Path:
    """Return the name of a vendor's file."""
    return Path(f"{vendor_id}.toml")
