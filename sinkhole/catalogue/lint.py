"""Check a catalogue: what may be listed, and that nothing is listed twice or by mistake.

Each mistake names its file and says what to do instead, since who reads it may be writing a first vendor file.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

from sinkhole.catalogue.discovery import lint_discovery
from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.lookalikes import lint_lookalikes
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product, Vendor
from sinkhole.public_suffix import is_listed_suffix, is_public_suffix

UNKNOWN = "ZZ"
"""The jurisdiction of vendors whose owner is not known."""
_UNCONFIRMED = ("Own knowledge", "Not known")


def lint(catalogue: Catalogue, today: dt.date) -> list[str]:
    """Return every mistake, each with its file and what to do about it."""
    return [
        *_publication(catalogue, today), *_vendors(catalogue, today), *_bypass(catalogue, today), *_twice(catalogue),
        *(lint_lookalikes(catalogue.brands, catalogue.by_id) if catalogue.brands else ()),
        *(lint_discovery(catalogue.signs, is_listed_suffix) if catalogue.signs else ()),
    ]  # fmt: skip


def is_unconfirmed(source: str) -> bool:
    """Return whether a source names no document, but only what we think we know."""
    return source.startswith(_UNCONFIRMED)


def _publication(catalogue: Catalogue, today: dt.date) -> Iterator[str]:
    day = f"{catalogue.published:%Y%m%d}"
    if str(catalogue.version)[:-2] != day:
        yield f"catalogue.toml: version: {catalogue.version} does not begin with {day}, the day it was published"
    if catalogue.published > today:
        yield f"catalogue.toml: published: {catalogue.published} is in the future"


def _vendors(catalogue: Catalogue, today: dt.date) -> Iterator[str]:
    for vendor in catalogue.vendors:
        for _, why in lint_vendor(vendor, catalogue, today):
            yield f"{vendor.id}.toml: {why}"


def lint_vendor(vendor: Vendor, catalogue: Catalogue, today: dt.date) -> Iterator[tuple[str | None, str]]:
    """Yield each mistake of one vendor, with the domain that it is about, None where it is about more than one.

    Args:
        catalogue: what it is, or would be, part of.
    """
    protected = frozenset(catalogue.never_block)
    for why in _company(vendor, today):
        yield None, why
    for product in vendor.products:
        for why in _product(product, catalogue):
            yield None, f"{product.id}: {why}"
        for domain in product.domains:
            for why in (*_name(domain, vendor.never_block, protected), *_evidence(domain, today)):
                yield domain.name, f"{product.id}: {domain.name}: {why}"
    for name in vendor.never_block:
        if mistake := name_mistake(name):
            yield None, f"never_block: {name}: {mistake}"


def _bypass(catalogue: Catalogue, today: dt.date) -> Iterator[str]:
    for way in catalogue.bypass:
        where = f"bypass/{way.id}.toml"
        for category in way.categories:
            if category not in catalogue.categories:
                yield f"{where}: category {category!r} is not in categories.toml"
        if not way.domains and not way.categories:
            yield f"{where}: has neither domains nor categories, so no name is on it"
        for domain in way.domains:
            if domain.opt_in:
                yield f"{where}: {domain.name}: opt_in: a way is blocked as a whole or not; leave the name out"
            for why in (*_name(domain, (), frozenset(catalogue.never_block)), *_evidence(domain, today)):
                yield f"{where}: {domain.name}: {why}"


def _company(vendor: Vendor, today: dt.date) -> Iterator[str]:
    for what, fact in (("owner", vendor.owner), ("jurisdiction", vendor.jurisdiction)):
        if fact.confidence == "high" and is_unconfirmed(fact.source):
            yield (
                f"{what}_confidence: is high, but {what}_source names no document; "
                "name one (terms of service, company register), or say medium"
            )
    if vendor.confidence == "high" and is_unconfirmed(vendor.source):
        yield "confidence: is high, but source names nothing that confirms the hosts; name it, or say medium"
    if (vendor.jurisdiction.value == UNKNOWN) is not (vendor.jurisdiction.confidence == "low"):
        yield (
            f"jurisdiction: {UNKNOWN} (unknown) and jurisdiction_confidence low go together: a guess is not stated, "
            "and what is stated needs more than a guess"
        )
    if vendor.jurisdiction.value != UNKNOWN and vendor.owner.confidence == "low":
        yield f"jurisdiction: is a guess where owner_confidence is low; say {UNKNOWN}"
    if vendor.data_use is not None and dt.date.fromisoformat(vendor.data_use.read) > today:
        yield f"data_use.read: {vendor.data_use.read} is in the future; it is the day the policy was read"


def _product(product: Product, catalogue: Catalogue) -> Iterator[str]:
    for category in product.categories:
        if category not in catalogue.categories:
            yield f"category {category!r} is not in categories.toml"
    if not product.domains and not product.note:
        yield "has no domains, so a note must say why DNS cannot tell it apart and what helps instead"
    if product.domains and not product.separable:
        yield "is not separable, yet has domains: a product that DNS can tell apart in part is two products"
    if not product.domains and product.separable:
        yield "has no domains; say separable = false, or list them"
    for vendor in product.serves:
        if vendor not in catalogue.by_id:
            yield f"serves: there is no vendor {vendor!r}"


def _name(domain: CatalogueDomain, shared: Sequence[str], protected: frozenset[str]) -> Iterator[str]:
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
    if domain.name in shared:
        yield "is also in never_block of the same vendor: it can be only one of them"


def _evidence(domain: CatalogueDomain, today: dt.date) -> Iterator[str]:
    first = dt.date.fromisoformat(domain.first_seen)
    if first > today:
        yield f"first_seen: {first} is in the future; it is the day of the oldest evidence"
    if domain.last_confirmed is None:
        if not is_unconfirmed(domain.source):
            yield "has no last_confirmed, the day of the newest evidence; without any, source says Own knowledge"
        return
    last = dt.date.fromisoformat(domain.last_confirmed)
    if last > today:
        yield f"last_confirmed: {last} is in the future; it is the day of the newest evidence"
    if last < first:
        yield f"last_confirmed: {last} is before first_seen, {first}"


def _twice(catalogue: Catalogue) -> Iterator[str]:
    owner: dict[str, str] = {}
    for vendor in catalogue.vendors:
        for product in vendor.products:
            for domain in product.domains:
                other = owner.setdefault(domain.name, product.id)
                if other != product.id:
                    yield f"{vendor.id}.toml: {product.id}: {domain.name}: is already listed by {other}"
    for way in catalogue.bypass:
        for domain in way.domains:
            other = owner.setdefault(domain.name, f"bypass/{way.id}")
            if other != f"bypass/{way.id}":
                yield f"bypass/{way.id}.toml: {domain.name}: is already listed by {other}"
    for vendor in catalogue.vendors:
        for name in vendor.never_block:
            if name in owner:
                yield f"{vendor.id}.toml: never_block: {name}: is a domain of {owner[name]}, which it would unblock"
    known: dict[str, str] = {}
    for vendor in catalogue.vendors:
        other = known.setdefault(vendor.name.casefold(), vendor.id)
        if other != vendor.id:
            yield f"{vendor.id}.toml: name {vendor.name!r} is also that of {other}"
