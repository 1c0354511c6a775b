"""Count spans of recorded hits with the categories of the catalogue in force, for reports that read no hits."""

from collections.abc import Iterator

from sinkhole.app.state import State
from sinkhole.catalogue.load import Catalogue
from sinkhole.store.span_sql import Labels
from sinkhole.store.summing import sum_spans


def category_labels(catalogue: Catalogue) -> Labels:
    """Return the categories of all products."""
    return Labels({product.id: product.categories for product in catalogue.products.values()})


def sum_up(state: State, now: float) -> Iterator[object]:
    """Count what is over and not counted yet; yield after each short transaction."""
    labels = category_labels(state.catalogue().catalogue)
    return sum_spans(state.store, state.settings.record.attempt_window, labels, now)
