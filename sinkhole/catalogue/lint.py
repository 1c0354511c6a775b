"""Check a catalogue: what may be listed, and that nothing is listed twice or by mistake."""

import datetime as dt
import re
from collections.abc import Iterator

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Vendor
from sinkhole.public_suffix import is_public_suffix

_LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
_LONGEST_NAME = 253
UNKNOWN = "ZZ"
"""The jurisdiction of vendors whose owner is not known."""


def lint(catalogue: Catalogue, today: dt.date) -> list[str]:
    """Return every mistake, each with its file and what to do about it."""
    return [*_vendors(catalogue, today), *_twice(catalogue)]


def _vendors(catalogue: Catalogue, today: dt.date) -> Iterator[str]:
    protected = frozenset(catalogue.never_block)
    for vendor in catalogue.vendors:
        if vendor.owner_confidence == "low" and vendor.jurisdiction != UNKNOWN:
            yield f"{vendor.id}.toml: jurisdiction: is a guess where owner_confidence is low; say {UNKNOWN}"
        for product in vendor.products:
            for category in product.categories:
                if category not in catalogue.categories:
                    yield f"{vendor.id}.toml: {product.id}: category {category!r} is not in categories.toml"
            if not product.domains and not product.note:
                yield f"{vendor.id}.toml: {product.id}: has no domains, so a note must say why DNS cannot tell it apart"
            for domain in product.domains:
                for why in _domain(domain, vendor, protected, today):
                    yield f"{vendor.id}.toml: {product.id}: {domain.name}: {why}"
        for name in vendor.never_block:
            if mistake := name_mistake(name):
                yield f"{vendor.id}.toml: never_block: {name}: {mistake}"


def _domain(domain: CatalogueDomain, vendor: Vendor, protected: frozenset[str], today: dt.date) -> Iterator[str]:
    if domain.match is DomainMatch.WILDCARD:
        if domain.name.count("*") != 1:
            yield "match is wildcard, so exactly one label must be, or hold, one *"
        if why := name_mistake(domain.name.replace("*", "x")):
            yield why
        elif is_public_suffix(domain.name.partition("*")[2].partition(".")[2]):
            yield "what follows the * is a public suffix: the rule would reach other people's names"
    elif why := name_mistake(domain.name):
        yield why
    elif is_public_suffix(domain.name):
        yield "is a public suffix: the rule would reach other people's names; list the names below it"
    if domain.name in protected:
        yield "is on never-block.txt: list the hosts of the vendor below it instead"
    if domain.name in vendor.never_block:
        yield "is also in never_block of the same vendor: it can be only one of them"
    if dt.date.fromisoformat(domain.seen) > today:
        yield f"was seen on {domain.seen}, which is in the future"


def _twice(catalogue: Catalogue) -> Iterator[str]:
    owner: dict[str, str] = {}
    for vendor in catalogue.vendors:
        for product in vendor.products:
            for domain in product.domains:
                other = owner.setdefault(domain.name, product.id)
                if other != product.id:
                    yield f"{vendor.id}.toml: {product.id}: {domain.name}: is already listed by {other}"
    known: dict[str, str] = {}
    for vendor in catalogue.vendors:
        other = known.setdefault(vendor.name.casefold(), vendor.id)
        if other != vendor.id:
            yield f"{vendor.id}.toml: name {vendor.name!r} is also that of {other}"


def name_mistake(name: str) -> str | None:
    """Say what is wrong with a host name in lower-case A-label form, or return None."""
    if name != name.lower():
        return "is not in lower case"
    if not name.isascii():
        return "is not in A-label form (xn--…)"
    if len(name) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} characters"
    for label in name.split("."):
        if not _LABEL.match(label):
            return f"has a label that no host name has: {label!r}"
    return None
