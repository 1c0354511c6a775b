"""Cut the catalogue into the hosts that one subject of policy reaches: a vendor, a category, a country …"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sinkhole.catalogue.lint import UNKNOWN
from sinkhole.catalogue.load import Catalogue
from sinkhole.policy.entry import is_default
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch

ALL = "ai"
"""Where the lists of all that the subject `ai` reaches go."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The hosts of one subject.

    Attributes:
        folder: where its lists go: `vendors/openai`, `categories/chat`, `jurisdictions/CN`, `bypass/vpn`, `ai`.
        title: what it is, in words.
        domains: hosts that a statement on the subject reaches.
        opt_in: how many more there are that only a statement on their own product reaches.
        open: names at or below them that nothing may block.
        below: hosts that the subject does not reach, though they are below one of `domains`.
    """

    folder: str
    title: str
    domains: tuple[CatalogueDomain, ...]
    opt_in: int
    open: tuple[str, ...]
    below: tuple[str, ...]


def select_all(catalogue: Catalogue) -> list[Selection]:
    """Return the selections that have hosts: all of AI, then by vendor, category, jurisdiction and way."""
    reached: defaultdict[str, list[CatalogueDomain]] = defaultdict(list)
    for domain, folders in _hosts(catalogue):
        for folder in folders:
            reached[folder].append(domain)
    suffixes = {domain.name for domain, _ in _hosts(catalogue) if domain.match is DomainMatch.SUFFIX}
    vetoes = _nested(catalogue.vetoes, suffixes)
    hosts = _nested((domain.name for domain, _ in _hosts(catalogue)), suffixes)
    found = []
    for folder, title in _titles(catalogue):
        domains = tuple(domain for domain in reached[folder] if not domain.opt_in)
        listed = {domain.name for domain in domains}
        above = [domain.name for domain in domains if domain.match is DomainMatch.SUFFIX]
        if domains:
            found.append(
                Selection(
                    folder=folder,
                    title=title,
                    domains=domains,
                    opt_in=len(reached[folder]) - len(domains),
                    open=_united(vetoes, above, ()),
                    below=_united(hosts, above, listed),
                )
            )
    return found


def _titles(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield every folder with what is in it."""
    yield ALL, "all of AI"
    for vendor in catalogue.vendors:
        yield f"vendors/{vendor.id}", f"vendor {vendor.name}"
    for category, entry in sorted(catalogue.categories.items()):
        yield f"categories/{category}", f"category {entry.name}"
    for country in catalogue.jurisdictions:
        known = f"jurisdiction {country}"
        yield f"jurisdictions/{country}", "vendors of unknown jurisdiction" if country == UNKNOWN else known
    for way in catalogue.bypass:
        yield f"bypass/{way.id}", f"way round policy: {way.name}"


def _hosts(catalogue: Catalogue) -> Iterator[tuple[CatalogueDomain, Sequence[str]]]:
    """Yield every host with the folders it belongs in, as policy has it."""
    for vendor in catalogue.vendors:
        for product in vendor.products:
            folders = [f"vendors/{vendor.id}", f"jurisdictions/{vendor.jurisdiction.value}"]
            folders += [f"categories/{category}" for category in product.categories]
            categories = set(product.categories)
            folders += [f"bypass/{way.id}" for way in catalogue.bypass if not categories.isdisjoint(way.categories)]
            folders += [ALL] if is_default(vendor, product) else []
            for domain in product.domains:
                yield domain, folders
    for way in catalogue.bypass:
        for domain in way.domains:
            yield domain, [f"bypass/{way.id}", *([ALL] if way.part_of_ai else [])]


def _nested(names: Iterable[str], suffixes: set[str]) -> dict[str, list[str]]:
    """Return which of the names are at or below each suffix."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        parent = name
        while parent:
            if parent in suffixes:
                found[parent].append(name)
            parent = parent.partition(".")[2]
    return dict(found)


def _united(nested: Mapping[str, Sequence[str]], above: Iterable[str], without: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for suffix in above for name in nested.get(suffix, ())}.difference(without)))
