"""Count what the catalogue knows, and how well."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sinkhole.catalogue.lint import UNKNOWN, is_unconfirmed
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.staleness import is_stale


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of a catalogue.

    Attributes:
        owners: vendors by confidence of their owner; `documented` of them rest on a named document.
        confirmed, own_knowledge, stale: domains that a source names; that none does; that nobody confirmed of late.
        by_kind, by_category, by_jurisdiction: vendors.
        by_way: domains by way round policy.
    """

    version: int
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


def summarise(catalogue: Catalogue, today: dt.date) -> Summary:
    """Count."""
    vendors = catalogue.vendors
    products = [product for vendor in vendors for product in vendor.products]
    domains = [domain for product in products for domain in product.domains]
    confirmed = sum(domain.last_confirmed is not None for domain in domains)
    return Summary(
        version=catalogue.version,
        vendors=len(vendors),
        products=len(products),
        not_separable=sum(not product.separable for product in products),
        domains=len(domains),
        opt_in=sum(domain.opt_in for domain in domains),
        confirmed=confirmed,
        own_knowledge=len(domains) - confirmed,
        stale=sum(is_stale(domain, today) for domain in domains),
        owners=_counted(vendor.owner.confidence for vendor in vendors),
        documented=sum(not is_unconfirmed(vendor.owner.source) for vendor in vendors),
        data_use=sum(vendor.data_use is not None for vendor in vendors),
        by_kind=_counted(vendor.kind.value for vendor in vendors),
        by_category=_counted(c for v in vendors for c in {c for p in v.products for c in p.categories}),
        by_jurisdiction=_counted(_country(vendor.jurisdiction.value) for vendor in vendors),
        by_way={way.id: len(way.domains) for way in catalogue.bypass},
    )


def _country(code: str) -> str:
    return "unknown" if code == UNKNOWN else code


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda one: (-one[1], one[0])))
