"""Write a vendor file as a person would: the keys in the order of the guide, one table a domain."""

import json
from collections.abc import Iterator

from sinkhole.policy.vendor import CatalogueDomain, DataUse, DomainMatch, DomainRole, Product, Vendor


def vendor_text(vendor: Vendor) -> str:
    """Return the vendor as the text of its file, which `load_vendor` reads back to the same value."""
    return "\n".join([*_head(vendor), *(line for product in vendor.products for line in _product(product))]) + "\n"


def product_text(product: Product) -> str:
    """Return one product of a vendor as the part of its file, which begins with an empty line."""
    return "\n".join(_product(product)) + "\n"


def _head(vendor: Vendor) -> Iterator[str]:
    yield f"id = {_text(vendor.id)}"
    yield f"name = {_text(vendor.name)}"
    yield f"kind = {_text(vendor.kind.value)}"
    for what, fact in (("owner", vendor.owner), ("jurisdiction", vendor.jurisdiction)):
        yield f"{what} = {_text(fact.value)}"
        yield f"{what}_confidence = {_text(fact.confidence)}"
        yield f"{what}_source = {_text(fact.source)}"
    yield f"confidence = {_text(vendor.confidence)}"
    yield f"source = {_text(vendor.source)}"
    if vendor.not_default:
        yield "not_default = true"
    yield from _optional("never_block", vendor.never_block)
    if vendor.note:
        yield f"note = {_text(vendor.note)}"
    if vendor.data_use is not None:
        yield from _data_use(vendor.data_use)


def _data_use(use: DataUse) -> Iterator[str]:
    yield ""
    yield "[data_use]"
    yield f"trains_on_input = {_text(use.trains_on_input.value)}"
    for key, value in (("opt_out", use.opt_out), ("retention", use.retention)):
        if value:
            yield f"{key} = {_text(value)}"
    yield from _optional("storage", use.storage)
    yield f"source = {_text(use.source)}"
    yield f"read = {use.read}"


def _product(product: Product) -> Iterator[str]:
    yield ""
    yield "[[products]]"
    yield f"slug = {_text(product.id.partition('/')[2])}"
    yield f"name = {_text(product.name)}"
    yield from _optional("categories", product.categories)
    if not product.separable:
        yield "separable = false"
    yield from _optional("serves", product.serves)
    if product.not_default is not None:
        yield f"not_default = {'true' if product.not_default else 'false'}"
    if product.note:
        yield f"note = {_text(product.note)}"
    for domain in product.domains:
        yield from _domain(domain)


def _domain(domain: CatalogueDomain) -> Iterator[str]:
    yield ""
    yield "[[products.domains]]"
    yield f"name = {_text(domain.name)}"
    yield f"role = {_text(domain.role.value)}"
    yield f"match = {_text(domain.match.value)}"
    if domain.opt_in:
        yield "opt_in = true"
    yield f"source = {_text(domain.source)}"
    yield f"first_seen = {domain.first_seen}"
    if domain.last_confirmed:
        yield f"last_confirmed = {domain.last_confirmed}"


def _optional(key: str, values: tuple[str, ...]) -> Iterator[str]:
    if values:
        yield f"{key} = [{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def domain_of(name: str, role: DomainRole, source: str | None, today: str) -> CatalogueDomain:
    """Return a domain as it is written down first: a suffix, or a wildcard where the name holds a `*`.

    Args:
        source: where it was read today, or None for our own knowledge.
    """
    match = DomainMatch.WILDCARD if "*" in name else DomainMatch.SUFFIX
    said = source or "Own knowledge of the service; no list names it"
    return CatalogueDomain(name, role, match, False, said, today, today if source else None)
