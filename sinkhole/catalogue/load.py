"""Load the catalogue from `blocklists/`: vendor files, categories, and the names that nothing may block."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sinkhole.catalogue.schema import CategoryEntry, VendorFile
from sinkhole.errors import CatalogueError
from sinkhole.policy.vendor import Product, Vendor

_CATEGORIES = TypeAdapter(dict[str, CategoryEntry])


@dataclass(frozen=True)
class Catalogue:
    """All vendors, in order of their ids.

    `categories` maps an id to its meaning, `never_block` are exact names, `fingerprint` changes with any of it.
    """

    vendors: tuple[Vendor, ...]
    categories: dict[str, CategoryEntry]
    never_block: tuple[str, ...]
    fingerprint: str

    @cached_property
    def by_id(self) -> dict[str, Vendor]:
        """Vendors by id."""
        return {vendor.id: vendor for vendor in self.vendors}

    @cached_property
    def products(self) -> dict[str, Product]:
        """Products by id (`vendor/slug`)."""
        return {product.id: product for vendor in self.vendors for product in vendor.products}

    @cached_property
    def jurisdictions(self) -> tuple[str, ...]:
        """Country codes that vendors have, sorted."""
        return tuple(sorted({vendor.jurisdiction.value for vendor in self.vendors}))


def load_catalogue(folder: Path) -> Catalogue:
    """Load `folder` (`blocklists/`).

    Raises:
        CatalogueError: naming every broken file and key.
    """
    mistakes: list[str] = []
    digest = hashlib.sha256()
    vendors = []
    for path in sorted((folder / "vendors").glob("*.toml")):
        data = _read(path)
        digest.update(data)
        try:
            vendors.append(_vendor(path, data))
        except CatalogueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise CatalogueError("\n".join(mistakes))
    if not vendors:
        raise CatalogueError(f"{folder / 'vendors'}: there is no vendor file")
    categories = _read(folder / "categories.toml")
    never_block = _read(folder / "never-block.txt")
    digest.update(categories + never_block)
    return Catalogue(
        tuple(vendors), _categories(folder / "categories.toml", categories), tuple(_names(never_block)),
        digest.hexdigest(),
    )  # fmt: skip


def load_vendor(path: Path) -> Vendor:
    """Load one vendor file.

    Raises:
        CatalogueError: it cannot be read, or its form is wrong; every mistake is named with its key.
    """
    return _vendor(path, _read(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error


def _vendor(path: Path, data: bytes) -> Vendor:
    try:
        entry = VendorFile.model_validate(tomllib.loads(data.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise CatalogueError("\n".join(_mistakes(path, error))) from error
    if path.stem != entry.id:
        raise CatalogueError(f"{path.name}: id: is {entry.id!r}, so the file must be called {entry.id}.toml")
    return entry.to_vendor()


def _categories(path: Path, data: bytes) -> dict[str, CategoryEntry]:
    try:
        return _CATEGORIES.validate_python(tomllib.loads(data.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise CatalogueError("\n".join(_mistakes(path, error))) from error


def _names(data: bytes) -> Iterator[str]:
    for line in data.decode("utf-8").splitlines():
        name = line.partition("#")[0].strip().lower().rstrip(".")
        if name:
            yield name


def _mistakes(path: Path, error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
        yield f"{path.name}: {where}: {detail['msg']}"
