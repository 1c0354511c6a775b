"""One domain of the catalogue, flattened to what a decision needs."""

from dataclasses import dataclass, field
from typing import Any

from sinkhole.policy.vendor import CatalogueDomain, DomainMatch, Product, Vendor

_STRENGTH = {DomainMatch.SUFFIX: 0, DomainMatch.WILDCARD: 1, DomainMatch.EXACT: 2}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A domain of a product of a vendor.

    Attributes:
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
    levels: tuple[tuple[str, ...], ...] = field(init=False, compare=False, repr=False)
    rank: tuple[int, int] = field(init=False, compare=False, repr=False)
    text: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        reach = " and below" if self.match is DomainMatch.SUFFIX else ""
        object.__setattr__(self, "levels", self._levels())
        object.__setattr__(self, "rank", (self.name.count("."), _STRENGTH[self.match]))
        object.__setattr__(self, "text", f"{self.name}{reach}{' (opt-in)' if self.opt_in else ''}")

    @classmethod
    def of(cls, vendor: Vendor, product: Product, domain: CatalogueDomain) -> "CatalogueEntry":
        """Take together what the catalogue says of one domain."""
        return cls(
            name=domain.name,
            match=domain.match,
            opt_in=domain.opt_in,
            product=product.id,
            vendor=vendor.id,
            categories=product.categories,
            jurisdiction=vendor.jurisdiction.value,
            not_default=vendor.not_default,
        )

    @property
    def is_default(self) -> bool:
        """Whether the subject `ai` reaches it."""
        return not self.opt_in and not self.not_default

    def matches(self, labels: tuple[bytes, ...]) -> bool:
        """Return whether the entry matches a name below its definite suffix, given its folded labels, root left out.

        Only wildcards need this: the index has compared the rest. Their `*` stands for exactly one label, or for
        one or more octets of a label (`*-aiplatform.googleapis.com`).
        """
        wanted = self.name.encode("ascii").split(b".")
        return len(wanted) == len(labels) and all(map(_label_matches, wanted, labels))

    def to_json_row(self) -> list[Any]:
        """Return the fields in order, as a list that JSON can hold."""
        return [
            self.name, self.match.value, self.opt_in, self.product, self.vendor, self.categories, self.jurisdiction,
            self.not_default,
        ]  # fmt: skip

    @classmethod
    def from_json_row(cls, row: list[Any]) -> "CatalogueEntry":
        """Read what `to_json_row` wrote."""
        name, match, opt_in, product, vendor, categories, jurisdiction, not_default = row
        return cls(name, DomainMatch(match), opt_in, product, vendor, tuple(categories), jurisdiction, not_default)

    def _levels(self) -> tuple[tuple[str, ...], ...]:
        product = (f"product:{self.product}",)
        if self.opt_in:
            return (product,)
        return (
            product,
            (f"vendor:{self.vendor}",),
            tuple(f"category:{category}" for category in self.categories),
            (f"jurisdiction:{self.jurisdiction}",),
        )


def _label_matches(wanted: bytes, label: bytes) -> bool:
    before, star, after = wanted.partition(b"*")
    if not star:
        return wanted == label
    return len(label) >= len(wanted) and label.startswith(before) and label.endswith(after)
