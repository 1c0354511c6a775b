"""`python -m bench.discovery DATA`: how many AI services would be found by their name, and how many names wrongly.

Recall is by leave-one-out: each domain of the catalogue is judged as if neither its vendor nor its brands were known.
DATA is as for `bench.catalogue_quality`. Ends with status 1 if a bound is broken.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.catalogue_material import Material
from sinkhole.catalogue.load import Catalogue, load_catalogue
from sinkhole.packaged import packaged_path
from sinkhole.policy.image import NameIndex
from sinkhole.policy.lookalikes import Lookalikes
from sinkhole.policy.signs import Signs
from sinkhole.protocol.names import fold, name_from_text

LEAST_RECALL = 0.5
"""Share of vendors of the catalogue of which at least one domain shows what it is."""
MOST_PER_10_000 = 8.0
"""Well-known names without AI that are flagged, those aside that call themselves AI."""
_SAYS_AI = re.compile(r"(^|[.0-9-])ai([.0-9-])|gpt")
"""Names of the well-known list that bear the word: frauds with `-ai.com`, which block lists name."""
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Recall:
    """Domains and vendors of a catalogue, how many of each would be found, and the domains that would not."""

    domains: int
    found: int
    vendors: int
    vendors_found: int
    missed: tuple[str, ...]


def recall(catalogue: Catalogue) -> Recall:
    """Judge each domain as if its vendor were unknown."""
    guard = Lookalikes(catalogue.brand_book)
    common = Signs(catalogue.sign_book, guard)
    branded = {brand.vendor for brand in catalogue.brand_book.brands}
    domains = vendors = vendors_found = 0
    missed: list[str] = []
    for vendor in catalogue.vendors:
        names = [domain.name.replace("*", "x") for product in vendor.products for domain in product.domains]
        signs = _without(catalogue, vendor.id) if vendor.id in branded else common
        unseen = [name for name in names if not looks_like_ai(signs, name)]
        domains += len(names)
        missed += unseen
        vendors += bool(names)
        vendors_found += len(unseen) < len(names)
    return Recall(domains, domains - len(missed), vendors, vendors_found, tuple(missed))


def _without(catalogue: Catalogue, vendor: str) -> Signs:
    book = catalogue.brand_book
    others = tuple(brand for brand in book.brands if brand.vendor != vendor)
    return Signs(catalogue.sign_book, Lookalikes(replace(book, brands=others)))


def looks_like_ai(signs: Signs, name: str) -> bool:
    """Return whether the name alone makes a suspect."""
    return signs.find(fold(name_from_text(name))) is not None


def false_alarms(catalogue: Catalogue, names: Sequence[str]) -> list[str]:
    """Return names without AI that look like it, as far as the catalogue does not know them."""
    index = NameIndex.from_rules((), catalogue.vendors, catalogue.never_block, catalogue.bypass, catalogue.brand_book,
                                 catalogue.sign_book)  # fmt: skip
    wires = ((name, fold(name_from_text(name))) for name in names)
    return [name for name, wire in wires if index.signs.find(wire) is not None and index.find(wire) is None]


def says_ai(name: str) -> bool:
    """Return whether a name bears the word by itself, so that nobody could call the alarm wrong."""
    return _SAYS_AI.search(name) is not None


def report(catalogue: Catalogue, material: Material) -> tuple[str, list[str]]:
    """Return the figures as text, and the bounds that are broken."""
    found = recall(catalogue)
    flagged = false_alarms(catalogue, material.benign)
    protected = false_alarms(catalogue, material.must_not_block)
    seen = [one.name for one in material.visible if one.kind == "ai-vendor"]
    signs = Signs(catalogue.sign_book, Lookalikes(catalogue.brand_book))
    listed = sum(looks_like_ai(signs, name) for name in seen)
    wrong = [name for name in flagged if not says_ai(name)]
    broken = []
    if found.vendors_found < LEAST_RECALL * found.vendors:
        broken.append(f"of {found.vendors} vendors {found.vendors_found} would be found")
    if len(wrong) > MOST_PER_10_000 * len(material.benign) / 10_000:
        broken.append(f"of {len(material.benign)} names without AI {len(wrong)} are flagged: {wrong}")
    if protected:
        broken.append(f"names that nothing may block are flagged: {protected}")
    return "\n".join(_lines(found, material, flagged, wrong, listed, len(seen))), broken


def _lines(
    found: Recall, material: Material, flagged: list[str], wrong: list[str], listed: int, seen: int
) -> Iterator[str]:
    yield f"vendors of the catalogue with a domain that shows it: {_share(found.vendors_found, found.vendors)}"
    yield f"domains of the catalogue that show it: {_share(found.found, found.domains)}"
    yield f"names that public lists call an AI vendor's: {_share(listed, seen)}"
    yield f"well-known names without AI that are flagged: {_share(len(flagged), len(material.benign))}"
    yield f"of those, names that do not say `ai` or `gpt` themselves: {len(wrong)}"
    yield f"names that nothing may block that are flagged: 0 of {len(material.must_not_block)}"
    yield f"wrongly flagged: {', '.join(wrong[:_SHOWN])}"
    yield f"missed, some: {', '.join(found.missed[:: max(1, len(found.missed) // _SHOWN)])}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.1%})"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    text, broken = report(load_catalogue(packaged_path("blocklists")), Material(parser.parse_args().data))
    sys.stdout.write(text + "\n")
    for bound in broken:
        sys.stderr.write(f"broken: {bound}\n")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
