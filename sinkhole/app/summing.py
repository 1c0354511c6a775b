"""Count spans of recorded hits with the categories of the catalogue in force, for reports that read no hits."""

from collections.abc import Iterator

from sinkhole.app.hit_reports import labels_of
from sinkhole.app.state import State
from sinkhole.store.summing import sum_spans


def sum_up(state: State, now: float) -> Iterator[object]:
    """Count what is over and not counted yet; yield after each short transaction."""
    labels = labels_of(state.catalogue().catalogue, "category")
    return sum_spans(state.store, state.settings.record.attempt_window, labels, now)
