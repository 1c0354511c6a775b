"""Count hits by anything an administrator asks for, with the catalogue's names."""

from collections.abc import Callable

from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import StoreError
from sinkhole.store.reports import COLUMNS, Reports, Tally

BY = (*COLUMNS, "category", "jurisdiction")
"""What hits can be counted by."""


def count_hits(
    reports: Reports, catalogue: Catalogue, by: str, since: int = 0, until: int | None = None
) -> list[Tally]:
    """Count hits by one of `BY`, most attempts first.

    Raises:
        StoreError: the store cannot be read.
    """
    count = _labels(catalogue).get(by)
    if count is None:
        if by not in COLUMNS:
            raise StoreError(f"hits are counted by {', '.join(BY)}; found {by!r}")
        return reports.count_by(by, since, until)
    column, labels = count()
    return reports.count_by_label(labels, column, since, until)


def _labels(catalogue: Catalogue) -> dict[str, Callable[[], tuple[str, dict[str, tuple[str, ...]]]]]:
    return {
        "category": lambda: ("product", {product.id: product.categories for product in catalogue.products.values()}),
        "jurisdiction": lambda: ("vendor", {vendor.id: (vendor.jurisdiction.value,) for vendor in catalogue.vendors}),
    }
