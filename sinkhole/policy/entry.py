"""One domain of the catalogue, flattened to what a decision needs."""

from dataclasses import dataclass, field
from typing import Any

from sinkhole.policy.bypass import Bypass
from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product, Vendor

ROW_WIDTH = 10
_STRENGTH = {DomainMatch.SUFFIX: 0, DomainMatch.WILDCARD: 1, DomainMatch.EXACT: 2}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A domain of a product of a vendor, or one on a way round policy.

    Attributes:
        product, vendor, jurisdiction: empty for a way round policy that is no product.
        serves: vendors whose models can be used there.
        bypass: the ways round policy it is on.
        levels: the subjects that reach this domain, one tuple a kind, the most specific kind first.
        rank: of two entries that match a name, the greater is the more specific.
        text: the row in words.
    """

    name: str
    match: DomainMatch
    opt_in: bool
    product: str
    vendor: str
    categories: tuple[str, ...]
    jurisdiction: str
    not_default: bool
    serves: tuple[str, ...] = ()
    bypass: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...], ...] = field(init=False, compare=False, repr=False)
    rank: tuple[int, int] = field(init=False, compare=False, repr=False)
    text: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        reach = " and below" if self.match is DomainMatch.SUFFIX else ""
        object.__setattr__(self, "levels", self._levels())
        object.__setattr__(self, "rank", (self.name.count("."), _STRENGTH[self.match]))
        object.__setattr__(self, "text", f"{self.name}{reach}{' (opt-in)' if self.opt_in else ''}")

    @property
    def is_default(self) -> bool:
        """Whether the subject `ai` reaches it."""
        return not self.opt_in and not self.not_default

    def matches(self, labels: tuple[bytes, ...]) -> bool:
        """Return whether the entry matches a name below its definite suffix, given its folded labels, root left out.

        Only wildcards need this: the index has compared the rest. Their `*` stands for exactly one label, or for
        one or more octets of a label (`*-aiplatform.googleapis.com`).
        """
        return matches_wildcard(self.name, labels)

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "CatalogueEntry":
        """Read what `product_row` or `way_row` wrote."""
        name, match, opt_in, product, vendor, categories, jurisdiction, not_default, serves, bypass = row
        return cls(
            name, DomainMatch(match), opt_in, product, vendor, tuple(categories), jurisdiction, not_default,
            tuple(serves), tuple(bypass),
        )  # fmt: skip

    def _levels(self) -> tuple[tuple[str, ...], ...]:
        if not self.product:
            # Empty levels keep it in step with products: what is compared must be equally specific.
            return () if self.opt_in else ((), (), (), (), (), self._bypass_level())
        product = (f"product:{self.product}",)
        if self.opt_in:
            return (product,)
        return (
            product,
            (f"vendor:{self.vendor}",),
            tuple(f"models:{vendor}" for vendor in (self.vendor, *self.serves)),
            tuple(f"category:{category}" for category in self.categories),
            (f"jurisdiction:{self.jurisdiction}",),
            self._bypass_level(),
        )

    def _bypass_level(self) -> tuple[str, ...]:
        return tuple(f"bypass:{way}" for way in self.bypass)


def product_row(vendor: Vendor, product: Product, domain: CatalogueDomain, ways: tuple[str, ...] = ()) -> list[Any]:
    """Return what is known of a domain of a product, as a list that JSON can hold; `ways` round policy it is on."""
    return [
        domain.name, domain.match.value, domain.opt_in, product.id, vendor.id, product.categories,
        vendor.jurisdiction.value, not is_default(vendor, product), product.serves, ways,
    ]  # fmt: skip


def is_default(vendor: Vendor, product: Product) -> bool:
    """Return whether the subject `ai` reaches a product: people use it for AI alone."""
    return not (vendor.not_default if product.not_default is None else product.not_default)


def way_row(way: Bypass, domain: CatalogueDomain) -> list[Any]:
    """Return what is known of a domain on a way round policy, as a list that JSON can hold."""
    return [domain.name, domain.match.value, domain.opt_in, "", "", (), "", not way.part_of_ai, (), (way.id,)]


def matches_wildcard(pattern: str, labels: tuple[bytes, ...]) -> bool:
    """Return whether a name fits a pattern with one `*`, which stands for a label or for octets within one."""
    wanted = pattern.encode("ascii").split(b".")
    return len(wanted) == len(labels) and all(map(_label_matches, wanted, labels))


def _label_matches(wanted: bytes, label: bytes) -> bool:
    before, star, after = wanted.partition(b"*")
    if not star:
        return wanted == label
    return len(label) >= len(wanted) and label.startswith(before) and label.endswith(after)
