"""Count hits by anything an administrator asks for, with the catalogue's names."""

from sinkhole.app.kept import Keep
from sinkhole.catalogue.load import Catalogue
from sinkhole.errors import StoreError
from sinkhole.store.reports import COLUMNS, Reports, Tally
from sinkhole.store.span_sql import Labels

_LABELLED = {"category": "product", "jurisdiction": "vendor"}
"""What follows from which column."""
BY = (*COLUMNS, *_LABELLED)
"""What hits can be counted by."""
_LABELS: Keep[Labels] = Keep(4)


def count_hits(
    reports: Reports, catalogue: Catalogue, by: str, since: int = 0, until: int | None = None
) -> list[Tally]:
    """Count hits by one of `BY`, most attempts first.

    Raises:
        StoreError: the store cannot be read.
    """
    if by in COLUMNS:
        return reports.count_by(by, since, until)
    if by not in _LABELLED:
        raise StoreError(f"hits are counted by {', '.join(BY)}; found {by!r}")
    return reports.count_by_label(labels_of(catalogue, by), _LABELLED[by], since, until)


def labels_of(catalogue: Catalogue, by: str) -> Labels:
    """Return the categories of all products, or the jurisdiction of all vendors."""
    return _LABELS.get((by, catalogue.fingerprint), lambda: Labels(_label_of(catalogue, by)))


def _label_of(catalogue: Catalogue, by: str) -> dict[str, tuple[str, ...]]:
    if by == "category":
        return {product.id: product.categories for product in catalogue.products.values()}
    return {vendor.id: (vendor.jurisdiction.value,) for vendor in catalogue.vendors}
