"""The catalogue as JSON: what `catalogue show --json` prints, and the one document that is published and synced."""

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from pydantic import ValidationError

from sinkhole.catalogue.host_name import name_mistake
from sinkhole.catalogue.lint import lint
from sinkhole.catalogue.load import Catalogue
from sinkhole.catalogue.published import FORMAT, PublishedCatalogue
from sinkhole.errors import CatalogueError
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.vendor import CatalogueDomain, DataUse, Product, Stated, Vendor

_TOLD: Final = 20
"""Mistakes that are told of a document; one that is cut short may have a thousand."""


def catalogue_to_json(catalogue: Catalogue) -> bytes:
    """Return the whole catalogue as canonical JSON: the same catalogue gives the same octets.

    A key or value a row, so that two versions can be compared row by row.
    """
    document = {
        "sinkhole": FORMAT,
        "version": catalogue.version,
        "published": catalogue.published.isoformat(),
        "categories": {key: entry.model_dump() for key, entry in catalogue.categories.items()},
        "never_block": list(catalogue.never_block),
        "vendors": [vendor_to_dict(vendor) for vendor in catalogue.vendors],
        "bypass": [bypass_to_dict(way) for way in catalogue.bypass],
        "lookalikes": None if catalogue.brands is None else catalogue.brands.model_dump(mode="json"),
    }
    return (json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def catalogue_from_json(octets: bytes) -> Catalogue:
    """Read what `catalogue_to_json` wrote.

    Raises:
        CatalogueError: it is no JSON or of another form; mistakes are named with their place.
    """
    try:
        found = PublishedCatalogue.model_validate_json(octets, strict=True, extra="ignore")
    except ValidationError as error:
        raise CatalogueError(_some(list(_mistakes(error)))) from error
    if twice := list(_twice(found)):
        raise CatalogueError(_some(twice))
    if wrong := [f"never_block: {name!r}: {why}" for name in found.never_block if (why := name_mistake(name))]:
        raise CatalogueError(_some(wrong))
    return Catalogue(
        vendors=tuple(entry.to_vendor() for entry in found.vendors),
        categories=found.categories,
        never_block=found.never_block,
        fingerprint=hashlib.sha256(octets).hexdigest(),
        version=found.version,
        published=found.published,
        bypass=tuple(entry.to_bypass() for entry in found.bypass),
        brands=found.lookalikes,
    )


def admit_catalogue(octets: bytes, today: dt.date) -> Catalogue:
    """Read a document that someone else wrote, and take it only if the lint finds nothing.

    Raises:
        CatalogueError: it cannot be read, or has a mistake that the lint knows.
    """
    catalogue = catalogue_from_json(octets)
    if mistakes := lint(catalogue, today):
        raise CatalogueError(_some(mistakes))
    return catalogue


def _twice(found: PublishedCatalogue) -> Iterator[str]:
    """Find ids that two have, which files of a folder cannot, and products of another vendor."""
    for what, ids in (
        ("vendors", [vendor.id for vendor in found.vendors]),
        ("bypass", [way.id for way in found.bypass]),
        ("products", [product.slug for vendor in found.vendors for product in vendor.products]),
    ):
        yield from (f"{what}: more than one has the id {one!r}" for one, count in Counter(ids).items() if count > 1)
    for vendor in found.vendors:
        for product in vendor.products:
            if product.slug.partition("/")[0] != vendor.id:
                yield f"vendors: {vendor.id}: the id of its product {product.slug!r} names another vendor"


def _mistakes(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_input=False, include_url=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
        yield f"{where}: {detail['msg']}" if where else detail["msg"]


def _some(mistakes: list[str]) -> str:
    more = f"\nand {len(mistakes) - _TOLD} more" if len(mistakes) > _TOLD else ""
    return "\n".join(mistakes[:_TOLD]) + more


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
        "not_default": product.not_default,
        "domains": [_domain(domain) for domain in product.domains],
    }


def _domain(domain: CatalogueDomain) -> dict[str, Any]:
    return asdict(domain) | {"role": domain.role.value, "match": domain.match.value}


def bypass_to_dict(way: Bypass) -> dict[str, Any]:
    """Return all that is known of a way round policy."""
    action = None if way.action is None else str(way.action)
    return asdict(way) | {"action": action, "domains": [_domain(domain) for domain in way.domains]}
