"""Find vendors by a word, or by a host of theirs."""

from collections.abc import Iterator
from dataclasses import dataclass

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.entry import matches_wildcard
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product, Vendor


@dataclass(frozen=True, slots=True)
class Match:
    """A vendor that fits, and what of it does: `where` is a kind of text (`owner`, `domain` …), `text` what it says."""

    vendor: Vendor
    where: str
    text: str


def search(catalogue: Catalogue, text: str) -> list[Match]:
    """Return the vendors that `text` fits, one match each: its id or name first, then hosts, products, owners, notes.

    Letter case does not matter. A host name fits the domain that it is at or below.
    """
    wanted = text.casefold().strip().rstrip(".")
    found: list[tuple[int, Match]] = []
    for vendor in catalogue.vendors:
        for rank, where, said in _texts(vendor, wanted):
            if wanted in said.casefold() or (where == "domain" and said == wanted):
                found.append((rank, Match(vendor, where, said)))
                break
    return [match for _, match in sorted(found, key=lambda one: (one[0], one[1].vendor.id))]


def _texts(vendor: Vendor, wanted: str) -> Iterator[tuple[int, str, str]]:
    yield 0, "vendor", vendor.id
    yield 0, "vendor", vendor.name
    for product, domain in _domains(vendor):
        if covers(domain, wanted):
            yield 1, "domain", f"{wanted} is below {domain.name} of {product.id}"
        yield 2, "domain", domain.name
    for product in vendor.products:
        yield 3, "product", product.name
    yield 4, "owner", vendor.owner.value
    for note in (vendor.note, *(product.note for product in vendor.products)):
        if note:
            yield 5, "note", note


def covers(domain: CatalogueDomain, name: str) -> bool:
    """Return whether a domain of the catalogue stands for a host name in lower-case A-label form."""
    if domain.match is DomainMatch.SUFFIX:
        return name.endswith("." + domain.name)
    if domain.match is DomainMatch.EXACT:
        return name == domain.name
    return matches_wildcard(domain.name, tuple(label.encode() for label in name.split(".")))


def _domains(vendor: Vendor) -> Iterator[tuple[Product, CatalogueDomain]]:
    for product in vendor.products:
        for domain in product.domains:
            yield product, domain


class Owners:
    """Look-up of whose a host name is; made once for many names."""

    def __init__(self, catalogue: Catalogue) -> None:
        hosts = [(product.id, product.domains) for product in catalogue.products.values()]
        ways = [(f"bypass:{way.id}", way.domains) for way in catalogue.bypass]
        domains = [(domain, owner) for owner, domains in (*hosts, *ways) for domain in domains]
        self._names = {domain.name: owner for domain, owner in domains}
        self._suffixes = {domain.name for domain, _ in domains if domain.match is DomainMatch.SUFFIX}
        self._wildcards = [(domain, owner) for domain, owner in domains if domain.match is DomainMatch.WILDCARD]

    def of(self, name: str) -> str | None:
        """Return the product, or the way round policy, that has a host name; None where nothing has."""
        if name in self._names:
            return self._names[name]
        above = name
        while above:
            if above in self._suffixes:
                return self._names[above]
            above = above.partition(".")[2]
        return next((owner for domain, owner in self._wildcards if covers(domain, name)), None)
