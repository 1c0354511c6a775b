"""The live view: queries as they are recorded; without script, those of the moment the page was opened."""

from sinkhole.app.state import State
from sinkhole.store.reports import Reports
from sinkhole.web.pages.route import View
from sinkhole.web.shapes import Hit

_AT_FIRST = 50


def live(state: State) -> View:
    """Show the last queries, which the script of the page goes on from."""
    found = Reports(state.store, state.settings.record.attempt_window).page(None, _AT_FIRST)
    return View("live.html", {"hits": [Hit.of(line) for line in found], "queries": state.settings.record.queries})
