"""Load the catalogue from `blocklists/`: vendors, ways round policy, categories, and names that nothing may block."""

import datetime as dt
import gc
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

import rtoml
from pydantic import TypeAdapter, ValidationError

from sinkhole.catalogue.discovery import FILE as SIGNS
from sinkhole.catalogue.discovery import DiscoveryFile
from sinkhole.catalogue.lookalikes import FILE as BRANDS
from sinkhole.catalogue.lookalikes import LookalikesFile
from sinkhole.catalogue.schema import BypassFile, CategoryEntry, PublicationFile, VendorFile
from sinkhole.errors import CatalogueError
from sinkhole.policy.bypass import Bypass
from sinkhole.policy.lookalikes import NO_BRANDS, BrandBook
from sinkhole.policy.signs import NO_SIGNS, SignBook
from sinkhole.policy.vendor import Product, Vendor

_VENDOR = TypeAdapter(VendorFile)
_BYPASS = TypeAdapter(BypassFile)
_CATEGORIES = TypeAdapter(dict[str, CategoryEntry])
_BRANDS = TypeAdapter(LookalikesFile)
_SIGNS = TypeAdapter(DiscoveryFile)
_PUBLICATION = TypeAdapter(PublicationFile)
_T = TypeVar("_T")
_SETTLED = 2.0
"""Seconds: times of files are no finer than a tick of the clock, on some file systems than this."""


@dataclass(frozen=True)
class Catalogue:
    """All vendors and ways round policy, each in order of their ids.

    `categories` maps an id to its meaning, `never_block` are exact names, `fingerprint` changes with any of it.
    `version` (yyyymmddnn) grows with each publication, of the day `published`.
    """

    vendors: tuple[Vendor, ...]
    categories: dict[str, CategoryEntry]
    never_block: tuple[str, ...]
    fingerprint: str
    version: int
    published: dt.date
    bypass: tuple[Bypass, ...] = ()
    brands: LookalikesFile | None = None
    signs: DiscoveryFile | None = None

    @cached_property
    def by_id(self) -> dict[str, Vendor]:
        """Vendors by id."""
        return {vendor.id: vendor for vendor in self.vendors}

    @cached_property
    def products(self) -> dict[str, Product]:
        """Products by id (`vendor/slug`)."""
        return {product.id: product for vendor in self.vendors for product in vendor.products}

    @cached_property
    def brand_book(self) -> BrandBook:
        """What the guard against names that imitate a vendor goes by."""
        return NO_BRANDS if self.brands is None else self.brands.to_book(self.by_id)

    @property
    def sign_book(self) -> SignBook:
        """What names that look like AI are found by."""
        return NO_SIGNS if self.signs is None else self.signs.to_book()

    @cached_property
    def vetoes(self) -> frozenset[str]:
        """Names that no list may take: those that nothing may block, and those that vendors share with others."""
        return frozenset(self.never_block).union(*(vendor.never_block for vendor in self.vendors))

    @cached_property
    def jurisdictions(self) -> tuple[str, ...]:
        """Country codes that vendors have, sorted."""
        return tuple(sorted({vendor.jurisdiction.value for vendor in self.vendors}))


def load_catalogue(folder: Path, clock: Callable[[], float] = time.time) -> Catalogue:
    """Load `folder` (`blocklists/`); files that have not changed since the last time are not parsed again.

    Args:
        folder: where it is.
        clock: tells the time that files are dated by.

    Raises:
        CatalogueError: naming every broken file and key.
    """
    told = _told(folder, clock() - _SETTLED)
    return _load(folder) if told is None else _load_as_told(folder, told)


@lru_cache(maxsize=1)
def _load_as_told(folder: Path, told: "_Told") -> Catalogue:
    """Load a folder that looks so for the first time; to read thousands of files takes five times as long."""
    return _load(folder)


_Told = tuple[tuple[str, int, int, int, int], ...]


def _told(folder: Path, newest: float) -> _Told | None:
    """Return what the file system tells of all files; None where one is so new that a further change might not show."""
    found = []
    for place in (folder, folder / "vendors", folder / "bypass"):
        try:
            with os.scandir(place) as entries:
                known = [(entry.path, entry.stat()) for entry in entries]
        except OSError:
            return None  # to read it says why, if it has to be there
        found += [(path, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in known]
    return None if any(max(one[3:]) > newest * 1e9 for one in found) else tuple(found)


def _load(folder: Path) -> Catalogue:
    vendors = _read_all(folder / "vendors")
    if not vendors:
        raise CatalogueError(f"{folder / 'vendors'}: there is no vendor file")
    single = [(path, _read(path)) for path in (folder / name for name in ("categories.toml", "catalogue.toml"))]
    guesses = tuple((path, _read(path)) for name in (BRANDS, SIGNS) for path in folder.glob(name))  # it may have none
    return _assemble(vendors, _read_all(folder / "bypass"), tuple(single), guesses, _read(folder / "never-block.txt"))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Make a hundred thousand objects that stay without the collector walking them again and again: a third faster."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@lru_cache(maxsize=1)
@_without_collection()
def _assemble(
    vendors: "_Files", bypass: "_Files", single: "_Files", guesses: "_Files", never_block: bytes
) -> Catalogue:
    mistakes: list[str] = []
    found_vendors = [entry.to_vendor() for entry in _each(vendors, _VENDOR, mistakes)]
    found_bypass = [entry.to_bypass() for entry in _each(bypass, _BYPASS, mistakes)]
    if mistakes:
        raise CatalogueError("\n".join(mistakes))
    categories, publication = single
    published = _parse(*publication, _PUBLICATION)
    digest = hashlib.sha256(never_block)
    for _, data in (*vendors, *bypass, *single, *guesses):
        digest.update(data)
    return Catalogue(
        vendors=tuple(found_vendors),
        categories=_parse(*categories, _CATEGORIES),
        never_block=tuple(_names(never_block)),
        fingerprint=digest.hexdigest(),
        version=published.version,
        published=published.published,
        bypass=tuple(found_bypass),
        brands=_found(guesses, BRANDS, _BRANDS),
        signs=_found(guesses, SIGNS, _SIGNS),
    )


def _found(files: "_Files", name: str, form: TypeAdapter[_T]) -> _T | None:
    """Return what the file of that name says, None where there is none."""
    return next((_parse(path, data, form) for path, data in files if path.name == name), None)


def load_vendor(path: Path) -> Vendor:
    """Load one vendor file.

    Raises:
        CatalogueError: it cannot be read, or its form is wrong; every mistake is named with its key.
    """
    return vendor_from_toml(path, _read(path))


def vendor_from_toml(path: Path, data: bytes) -> Vendor:
    """Read the octets of a vendor file that is, or would be, at `path`.

    Raises:
        CatalogueError: its form is wrong; every mistake is named with its key.
    """
    return _parse_named(path, data, _VENDOR).to_vendor()


_Files = tuple[tuple[Path, bytes], ...]


def _read_all(folder: Path) -> _Files:
    return tuple((path, _read(path)) for path in sorted(folder.glob("*.toml")))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error


_Named = TypeVar("_Named", VendorFile, BypassFile)


def _each(files: _Files, form: TypeAdapter[_Named], mistakes: list[str]) -> Iterator[_Named]:
    """Yield the files that are right, and add what is wrong with the others."""
    for path, data in files:
        try:
            yield _parse_named(path, data, form)
        except CatalogueError as error:
            mistakes.append(str(error))


def _parse_named(path: Path, data: bytes, form: TypeAdapter[_Named]) -> _Named:
    entry = _parse(path, data, form)
    if path.stem != entry.id:
        raise CatalogueError(f"{path.name}: id: is {entry.id!r}, so the file must be called {entry.id}.toml")
    return entry


def _parse(path: Path, data: bytes, form: TypeAdapter[_T]) -> _T:
    try:
        # The parser leaves line ends within texts as they are, which the specification of TOML permits.
        return form.validate_python(rtoml.loads(data.decode("utf-8").replace("\r\n", "\n")))
    except (rtoml.TomlParsingError, UnicodeDecodeError) as error:
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
