"""Vendor files of this network alone, in `vendors/` of the data folder: they join the catalogue in force.

They have the form of the catalogue's own and pass its lint, each by itself: what is wrong with one is told with its
line, and the others hold. What the catalogue says goes before what they say.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from sinkhole.app.data_dir import VENDORS
from sinkhole.catalogue.lines import line_of
from sinkhole.catalogue.lint import lint_vendor
from sinkhole.catalogue.load import Catalogue, vendor_from_toml
from sinkhole.catalogue.search import Owners
from sinkhole.errors import CatalogueError
from sinkhole.feeds.guard import Guard
from sinkhole.policy.rule import Match, Rule
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product, Vendor

_MATCHES = {DomainMatch.SUFFIX: Match.SUFFIX, DomainMatch.EXACT: Match.EXACT}
_MAX_OCTETS = 1024 * 1024
Files = Mapping[str, bytes | None]
"""Names of files in the folder, and what is in them; None: it cannot be read."""


@dataclass(frozen=True, slots=True)
class LocalVendors:
    """What the local files bring.

    Attributes:
        domains: in force, each with the id of its product.
        faults: what is left out, and why: `acme.toml: line 3: …`.
        superseded: what the catalogue has by now, so that the file has no effect there.
    """

    domains: tuple[tuple[str, str], ...] = ()
    faults: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()


NO_LOCAL = LocalVendors()


def local_files(data_dir: Path) -> dict[str, bytes | None]:
    """Read the local vendor files."""
    return {path.name: _octets(path) for path in sorted((data_dir / VENDORS).glob("*.toml"))}


def _octets(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_OCTETS else None
    except OSError:
        return None


def join(catalogue: Catalogue, files: Files, guard: Callable[[], Guard]) -> tuple[Catalogue, LocalVendors]:
    """Return the catalogue with what local files add to it, and what they add.

    Args:
        files: as `local_files` reads them.
        guard: makes that of the names that no list may take, and so no local file.
    """
    if not files:
        return catalogue, NO_LOCAL
    joining = _Joining(catalogue, guard())
    for name, data in files.items():
        joining.add(name, data)
    local = LocalVendors(tuple(joining.domains), tuple(joining.faults), tuple(joining.superseded))
    digest = sha256(repr(sorted(files.items())).encode()).hexdigest()
    fingerprint = f"{catalogue.fingerprint} local {digest} {sorted(joining.guard.hosts)}"
    return replace(catalogue, vendors=tuple(joining.vendors()), fingerprint=fingerprint), local


class _Joining:
    """Local files as they join a catalogue, one after the other."""

    def __init__(self, catalogue: Catalogue, guard: Guard) -> None:
        self.guard = guard
        self.domains: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.superseded: list[str] = []
        self._catalogue = catalogue
        self._owners = Owners(catalogue)
        self._added: dict[str, Vendor] = {}
        self._today = dt.datetime.now(dt.UTC).date()

    def vendors(self) -> Iterable[Vendor]:
        """Return all vendors, those of the catalogue with what was added to them, in order of their ids."""
        return (vendor for _, vendor in sorted((self._catalogue.by_id | self._added).items()))

    def add(self, name: str, data: bytes | None) -> None:
        """Add the vendor of one file, or its products to a vendor of the catalogue."""
        if data is None:
            self.faults.append(f"{name}: cannot be read; wanted a file of at most {_MAX_OCTETS} octets")
            return
        text = data.decode("utf-8", "replace")
        try:
            vendor = vendor_from_toml(Path(name), data)
        except (CatalogueError, RecursionError) as error:
            self._note(name, text, [line.removeprefix(f"{name}: ") for line in str(error).splitlines()])
            return
        mistakes = list(self._mistakes(vendor))
        of_file = [said for domain, said in mistakes if domain is None]
        self._note(name, text, of_file or [said for _, said in mistakes])
        if not of_file:
            self._take(name, vendor, {domain for domain, _ in mistakes if domain is not None})

    def _note(self, name: str, text: str, mistakes: Sequence[str]) -> None:
        for said in mistakes:
            line = line_of(text, said)
            self.faults.append(f"{name}: {f'line {line}: ' if line else ''}{said}")

    def _mistakes(self, vendor: Vendor) -> Iterator[tuple[str | None, str]]:
        """Yield what is wrong with a vendor, with the name that is to be left out for it, None for all of the file."""
        told = list(lint_vendor(vendor, self._catalogue, self._today))
        yield from told
        faulty = {domain for domain, _ in told}
        for product in vendor.products:
            for domain in product.domains:
                if domain.name not in faulty and (why := self.guard.objection(_rule(domain))):
                    yield domain.name, f"{product.id}: {domain.name}: {why}"
        for name in vendor.never_block:
            if self._owners.of(name) is not None:
                yield name, f"never_block: {name}: is a domain of the catalogue, which it would unblock"

    def _take(self, file: str, vendor: Vendor, faulty: Set[str]) -> None:
        known = self._added.get(vendor.id) or self._catalogue.by_id.get(vendor.id)
        products = {product.id: product for product in known.products} if known else {}
        for product in vendor.products:
            domains = tuple(d for d in product.domains if d.name not in faulty and not self._is_known(file, product, d))
            if not domains:
                continue
            self.domains += [(domain.name, product.id) for domain in domains]
            before = products.get(product.id)
            products[product.id] = _with(before or replace(product, domains=()), domains)
        if products:
            base = known or replace(vendor, never_block=tuple(n for n in vendor.never_block if n not in faulty))
            self._added[vendor.id] = replace(base, products=tuple(products.values()))

    def _is_known(self, file: str, product: Product, domain: CatalogueDomain) -> bool:
        """Return whether the catalogue, or a file before, has a domain; then that counts."""
        earlier = next((id_ for name, id_ in self.domains if name == domain.name), None)
        owner = earlier or self._owners.of(domain.name)
        if owner is None:
            return False
        whose = "the local product" if earlier else "the catalogue, as one of"
        self.superseded.append(f"{file}: {product.id}: {domain.name}: is in {whose} {owner}; take it out of the file")
        return True


def _with(product: Product, domains: tuple[CatalogueDomain, ...]) -> Product:
    return replace(product, domains=(*product.domains, *domains), separable=True)


def _rule(domain: CatalogueDomain) -> Rule:
    if domain.match is DomainMatch.WILDCARD:
        return Rule(Match.MASK, f"|{domain.name}^")
    return Rule(_MATCHES[domain.match], domain.name)
