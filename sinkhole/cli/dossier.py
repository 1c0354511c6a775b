"""Print what is known of a vendor, for people: who is behind it, what it offers, on which hosts, what DNS cannot do."""

import datetime as dt
from collections.abc import Iterator

from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.staleness import age_in_days, is_stale
from sinkhole.cli.output import count_of, print_line
from sinkhole.policy.entry import is_default
from sinkhole.policy.vendor import CatalogueDomain, DataUse, DomainMatch, Product, Stated, Training, Vendor, VendorKind

_KINDS = {
    VendorKind.AI_NATIVE: "AI is what it offers",
    VendorKind.AI_ENABLED: "offers more than AI",
}
_TRAINING = {
    Training.YES: "trains on what people type",
    Training.NO: "does not train on what people type",
    Training.OPT_OUT: "trains on what people type unless told not to",
    Training.UNSTATED: "does not say whether it trains on what people type",
}


def print_dossier(vendor: Vendor, catalogue: Catalogue, today: dt.date) -> None:
    """Print a vendor with evidence and gaps."""
    print_line(f"{vendor.name}  ({vendor.id}; {_KINDS[vendor.kind]})")
    for label, words in _head(vendor):
        print_line(f"  {label:<13} {words}")
    for product in vendor.products:
        _print_product(vendor, product, today)
    for title, words in _foot(vendor, catalogue):
        print_line()
        print_line(f"{title}: {words}")


def _head(vendor: Vendor) -> Iterator[tuple[str, str]]:
    yield "owner", _fact(vendor.owner, vendor.owner.value)
    country = vendor.jurisdiction
    yield "jurisdiction", _fact(country, "unknown" if country.value == "ZZ" else country.value)
    yield "hosts", f"{vendor.source} (confidence {vendor.confidence})"
    yield "blocked by", _reached_by(vendor)
    if vendor.data_use is None:
        yield "your data", "not known: no statement of the vendor has been read"
    else:
        yield from _data_use(vendor.data_use)
    if vendor.note:
        yield "note", vendor.note


def _reached_by(vendor: Vendor) -> str:
    default = [is_default(vendor, product) for product in vendor.products]
    if all(default):
        return "ai, and by its vendor, product, category, jurisdiction"
    if any(default):
        return "its vendor, product, category, jurisdiction; by ai only where the product says so"
    return "only by its vendor, product, category or jurisdiction, not by ai"


def _fact(fact: Stated, shown: str) -> str:
    """Return a fact with its ground; what rests on a guess is not shown as a fact."""
    if fact.confidence == "low":
        return "not known" if shown.lower().startswith("unknown") else f"not verified; perhaps {shown}"
    return f"{shown} (confidence {fact.confidence}; {fact.source})"


def _data_use(use: DataUse) -> Iterator[tuple[str, str]]:
    yield "your data", f"{_TRAINING[use.trains_on_input]} ({use.source}, read {use.read})"
    for label, words in (
        ("  opt out", use.opt_out),
        ("  kept", use.retention),
        ("  stored in", ", ".join(use.storage)),
    ):
        yield label, words or "not said"


def _print_product(vendor: Vendor, product: Product, today: dt.date) -> None:
    print_line()
    print_line(f"{product.id}  {product.name}  ({', '.join(product.categories)})")
    if not product.separable:
        print_line(f"  not separable by DNS: {product.note}")
    elif product.note:
        print_line(f"  {product.note}")
    if product.separable and is_default(vendor, product) is vendor.not_default:
        print_line(f"  {'blocked' if vendor.not_default else 'not blocked'} by ai, unlike the rest of the vendor")
    if product.serves:
        print_line(f"  serves models of {', '.join(product.serves)}")
    for role in sorted({domain.role.value for domain in product.domains}):
        print_line(f"  {role}")
        for domain in product.domains:
            if domain.role.value == role:
                print_line(f"    {domain_line(domain, today)}")


def domain_line(domain: CatalogueDomain, today: dt.date) -> str:
    """Return a domain with what it rests on, and since when."""
    return f"{_host(domain)}  {_dates(domain, today)}  {domain.source}"


def _host(domain: CatalogueDomain) -> str:
    below = " and below" if domain.match is DomainMatch.SUFFIX else ""
    return f"{domain.name}{below}{'  [only when asked for]' if domain.opt_in else ''}"


def _dates(domain: CatalogueDomain, today: dt.date) -> str:
    if domain.last_confirmed is None:
        return f"since {domain.first_seen}, not confirmed"
    stale = f", {age_in_days(domain, today)} days ago" if is_stale(domain, today) else ""
    return f"{domain.first_seen} to {domain.last_confirmed}{stale}"


def _foot(vendor: Vendor, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    hidden = [product.name for product in vendor.products if not product.separable]
    if hidden:
        yield "not covered, since DNS cannot tell it apart", ", ".join(hidden)
    if vendor.never_block:
        yield "never blocked, since others live there", ", ".join(vendor.never_block)
    servers = [product.id for product in catalogue.products.values() if vendor.id in product.serves]
    if servers:
        yield f"its models can also be used through {count_of(len(servers), 'product')} of others", ", ".join(servers)
