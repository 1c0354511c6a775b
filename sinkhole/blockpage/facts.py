"""What the catalogue says to people: names of vendors, products and categories, and where a product is found.

The control process writes it into a small file beside the compiled policy whenever the catalogue changes; the page
reads it, and never opens the store.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.vendor import DomainMatch, DomainRole, Product

NAME = "page.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """A product: its name, its categories, and a host name at which it is found, if any."""

    name: str
    categories: tuple[str, ...]
    host: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Names by id; `image` is the file of compiled names that they belong to."""

    image: str = ""
    vendors: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, ProductFacts] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    ways: Mapping[str, str] = field(default_factory=dict)


def facts_of(catalogue: Catalogue, image: str) -> Facts:
    """Return what the catalogue says to people."""
    return Facts(
        image,
        {vendor.id: vendor.name for vendor in catalogue.vendors},
        {one.id: ProductFacts(one.name, one.categories, _host(one)) for one in catalogue.products.values()},
        {key: category.name for key, category in catalogue.categories.items()},
        {way.id: way.name for way in catalogue.bypass},
    )


def _host(product: Product) -> str | None:
    """Return the first name that people would open."""
    open_to_people = (DomainRole.WEB, DomainRole.APP)
    hosts = [one for one in product.domains if one.match is not DomainMatch.WILDCARD and not one.opt_in]
    return next((one.name for role in open_to_people for one in hosts if one.role is role), None)


def write_facts(folder: Path, facts: Facts) -> None:
    """Put them in place in one step; raises OSError where they cannot be written."""
    draft = folder / f"{NAME}.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, **asdict(facts)}, file)
    draft.rename(folder / NAME)


def read_facts(folder: Path) -> Facts:
    """Return what was put in place; nothing where there is nothing, or it cannot be read: then ids stand for names."""
    try:
        found = json.loads((folder / NAME).read_bytes())
        if found.pop("format") != _FORMAT:
            return Facts()
        products = {key: ProductFacts(one["name"], tuple(one["categories"]), one["host"])
                    for key, one in found.pop("products").items()}  # fmt: skip
        return Facts(products=products, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Facts()


class FactsFile:
    """Gives the newest facts of a folder, and looks each time whether there are newer ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._facts = Facts()

    def __call__(self) -> Facts:
        """Return the newest facts."""
        try:
            stat = (self._folder / NAME).stat()
        except OSError:
            return self._facts
        stamp = (stat.st_ino, stat.st_mtime_ns)
        if stamp != self._stamp:
            self._stamp, self._facts = stamp, read_facts(self._folder)
        return self._facts
