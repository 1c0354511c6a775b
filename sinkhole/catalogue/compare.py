"""Tell what differs between two editions of the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.vendor import CatalogueDomain, Product, Vendor

_OWN_FIELDS = ("name", "kind", "not_default", "never_block", "note", "data_use", "confidence")
_STATED = ("owner", "jurisdiction")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `+` added, `-` removed, `~` changed; `what` is a path such as `deepseek: api.deepseek.com`."""

    sign: str
    what: str
    before: str | None = None
    after: str | None = None


def differences(old: Catalogue, new: Catalogue) -> list[Change]:
    """Return what differs, vendors first, then ways round policy, in order of their ids."""
    changes = list(_keyed(old.by_id, new.by_id, _vendor))
    old_ways = {f"bypass/{way.id}": {d.name: d for d in way.domains} for way in old.bypass}
    new_ways = {f"bypass/{way.id}": {d.name: d for d in way.domains} for way in new.bypass}
    changes += _keyed(old_ways, new_ways, _domains)
    return changes


def _keyed(old: Mapping[str, Any], new: Mapping[str, Any], inner: Any) -> Iterator[Change]:
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            yield Change("-", key)
        elif key not in old:
            yield Change("+", key)
        elif old[key] != new[key]:
            yield from inner(key, old[key], new[key])


def _vendor(id_: str, old: Vendor, new: Vendor) -> Iterator[Change]:
    for name in (*_STATED, *_OWN_FIELDS):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change("~", f"{id_}: {name}", _text(before), _text(after))
    yield from _products(id_, old, new)
    yield from _domains(id_, _by_name(old), _by_name(new))


def _products(id_: str, old: Vendor, new: Vendor) -> Iterator[Change]:
    before, after = ({product.id: _facts(product) for product in vendor.products} for vendor in (old, new))
    yield from _named("product ", before, after)


def _facts(product: Product) -> tuple[Any, ...]:
    """Return what is known of a product besides its domains, which are compared one by one."""
    return (
        product.name, product.categories, product.separable, product.note, product.serves, product.not_default,
    )  # fmt: skip


def _domains(id_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    yield from _named(f"{id_}: ", old, new)


def _named(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for change in _keyed(old, new, lambda key, before, after: [Change("~", key, _text(before), _text(after))]):
        yield replace(change, what=prefix + change.what)


def _by_name(vendor: Vendor) -> dict[str, tuple[str, CatalogueDomain]]:
    return {d.name: (p.id, d) for p in vendor.products for d in p.domains}


def _text(value: Any) -> str:
    if hasattr(value, "value") and not hasattr(value, "confidence"):
        return str(value.value)
    if hasattr(value, "__dataclass_fields__"):
        return ", ".join(_text(part) for f in fields(value) if (part := getattr(value, f.name)) not in (None, ()))
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return "none" if value is None else str(value)
