"""The catalogue as JSON: what `catalogue show --json` prints, and what an export holds."""

from dataclasses import asdict
from typing import Any

from sinkhole.policy.vendor import CatalogueDomain, DataUse, Product, Stated, Vendor


def vendor_to_dict(vendor: Vendor) -> dict[str, Any]:
    """Return all that is known of a vendor."""
    return {
        "id": vendor.id,
        "name": vendor.name,
        "kind": vendor.kind.value,
        **_stated("owner", vendor.owner),
        **_stated("jurisdiction", vendor.jurisdiction),
        "confidence": vendor.confidence,
        "source": vendor.source,
        "not_default": vendor.not_default,
        "never_block": list(vendor.never_block),
        "note": vendor.note,
        "brands": list(vendor.brands),
        "data_use": None if vendor.data_use is None else _data_use(vendor.data_use),
        "products": [_product(product) for product in vendor.products],
    }


def _stated(what: str, fact: Stated) -> dict[str, str]:
    return {what: fact.value, f"{what}_confidence": fact.confidence, f"{what}_source": fact.source}


def _data_use(use: DataUse) -> dict[str, Any]:
    return asdict(use) | {"trains_on_input": use.trains_on_input.value, "storage": list(use.storage)}


def _product(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "categories": list(product.categories),
        "separable": product.separable,
        "note": product.note,
        "serves": list(product.serves),
        "domains": [_domain(domain) for domain in product.domains],
    }


def _domain(domain: CatalogueDomain) -> dict[str, Any]:
    return asdict(domain) | {"role": domain.role.value, "match": domain.match.value}
