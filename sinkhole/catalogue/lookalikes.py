"""The form of `blocklists/lookalikes.toml`: the brands that names of others imitate, and what is no imitation."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.schema import Slug, Text
from sinkhole.policy.brand import Brand, BrandKind
from sinkhole.policy.lookalikes import BrandBook
from sinkhole.policy.vendor import DomainMatch, Vendor

FILE: Final = "lookalikes.toml"

Token = Annotated[str, StringConstraints(pattern=re.compile(r"^[a-z]{3,63}$"))]
Word = Annotated[str, StringConstraints(pattern=re.compile(r"^[a-z]{2,63}$"))]
Words = Annotated[str, StringConstraints(pattern=re.compile(r"^[a-z]{2,}(-[a-z]{2,})*$"))]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrandEntry(_Table):
    """One `[brands.<vendor>]` table."""

    distinctive: tuple[Token, ...] = ()
    whole: tuple[Token, ...] = ()
    common: tuple[Token, ...] = ()
    beside: tuple[Word, ...] = ()
    not_beside: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _has_a_brand(self) -> "BrandEntry":
        if not self.tokens:
            raise ValueError("needs a brand: distinctive, whole or common")
        if (self.beside or self.not_beside) and not self.common:
            raise ValueError("beside and not_beside are for common brands; there is none")
        return self

    @property
    def tokens(self) -> tuple[str, ...]:
        """All brands."""
        return (*self.distinctive, *self.whole, *self.common)


class InnocentEntry(_Table):
    """One `[[innocents]]` table."""

    name: Text | None = None
    word: Words | None = None
    reason: Text

    @model_validator(mode="after")
    def _is_one(self) -> "InnocentEntry":
        if (self.name is None) is (self.word is None):
            raise ValueError("is a name or a word, one of them")
        return self

    @property
    def text(self) -> str:
        """The name or the word."""
        return self.name or self.word or ""


class LookalikesFile(_Table):
    """The whole file; brands by the id of their vendor."""

    companions: tuple[Word, ...] = Field(min_length=1)
    leads: tuple[Word, ...]
    suffixes: tuple[Word, ...]
    brands: dict[Slug, BrandEntry] = Field(min_length=1)
    innocents: tuple[InnocentEntry, ...]

    def to_book(self, vendors: Mapping[str, Vendor]) -> BrandBook:
        """Return what policy works with; domains come from the vendors, by id."""
        return BrandBook(
            brands=tuple(brand for id_, entry in self.brands.items() for brand in self._brands(id_, entry, vendors)),
            companions=self.companions,
            leads=self.leads,
            suffixes=self.suffixes,
            innocents=tuple(innocent.text for innocent in self.innocents),
        )

    def _brands(self, vendor: str, entry: BrandEntry, vendors: Mapping[str, Vendor]) -> Iterator[Brand]:
        beside = tuple(sorted({*self.companions, *entry.beside}.difference(entry.not_beside)))
        known = vendors.get(vendor)
        for kind, tokens, companions in (
            (BrandKind.DISTINCTIVE, entry.distinctive, self.companions),
            (BrandKind.WHOLE, entry.whole, self.companions),
            (BrandKind.COMMON, entry.common, beside),
        ):
            for token in tokens:
                yield Brand(vendor, token, kind, companions, () if known is None else tuple(_domains(known, token)))


def lint_lookalikes(file: LookalikesFile, vendors: Mapping[str, Vendor]) -> list[str]:
    """Return every mistake, each with what to do about it."""
    return [f"{FILE}: {why}" for why in (*_unknown(file, vendors), *_twice(file), *_innocents(file))]


def _unknown(file: LookalikesFile, vendors: Mapping[str, Vendor]) -> Iterator[str]:
    for vendor, entry in file.brands.items():
        if vendor not in vendors:
            yield f"brands.{vendor}: there is no vendor {vendor!r}"
        for word in entry.not_beside:
            if word not in file.companions:
                yield f"brands.{vendor}.not_beside: {word!r} is not among the companions"
        for word in entry.beside:
            if word in file.companions:
                yield f"brands.{vendor}.beside: {word!r} is among the companions already"
            if word in entry.common:
                yield f"brands.{vendor}.beside: {word!r} is the brand itself, which would need nothing beside it"
        if entry.common and not {*file.companions, *entry.beside}.difference(entry.not_beside):
            yield f"brands.{vendor}.not_beside: leaves no companion, so no name would ever imitate the brand"


def _twice(file: LookalikesFile) -> Iterator[str]:
    owner: dict[str, str] = {}
    for vendor, entry in file.brands.items():
        for token in entry.tokens:
            if token in owner:
                yield f"brands.{vendor}: {token!r} is also a brand of {owner[token]}"
            owner[token] = vendor
    for what, words in (
        ("companions", file.companions),
        ("leads", file.leads),
        ("suffixes", file.suffixes),
        ("innocents", [innocent.text for innocent in file.innocents]),
    ):
        for word, times in Counter(words).items():
            if times > 1:
                yield f"{what}: {word!r} is there twice"


def _innocents(file: LookalikesFile) -> Iterator[str]:
    for innocent in file.innocents:
        if innocent.name is None:
            continue
        if "." not in innocent.name:
            yield f"innocents: {innocent.name!r} is no name with a dot; a word is given as word"
        elif why := name_mistake(innocent.name):
            yield f"innocents: {innocent.name}: {why}"


def _domains(vendor: Vendor, token: str) -> Iterator[str]:
    """Yield the domains of a vendor that hold a token, without those below another of them."""
    names = {
        domain.name
        for product in vendor.products
        for domain in product.domains
        if domain.match is not DomainMatch.WILDCARD and token in domain.name
    }
    for name in sorted(names):
        parts = name.split(".")
        if not any(".".join(parts[at:]) in names for at in range(1, len(parts))):
            yield name
