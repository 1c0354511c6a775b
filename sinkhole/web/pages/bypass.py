"""The report of who looks as if they went round the resolver."""

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.client_names import client_store
from sinkhole.app.state import State
from sinkhole.store.client_store import HOUR
from sinkhole.web.pages.client import INNOCENT
from sinkhole.web.pages.route import View
from sinkhole.web.pages.span import SPANS, Spanned, spanned, times_of

_MOST_ROWS = 200


def bypass(state: State, query: Spanned) -> View:
    """Show which clients look so, with what speaks for it."""
    times = times_of(query.span)
    found = bypass_report(state, times.since)
    shown = found[:_MOST_ROWS]
    names = client_store(state).names(one.client for one in shown)
    rows = [(one, names.get(one.client), [hour * HOUR for hour in one.silent_hours]) for one in shown]
    choices = [(spanned("/reports/bypass", span), words) for span, words in SPANS.items()]
    return View(
        "bypass.html",
        {"rows": rows, "total": len(found), "times": times, "span": query.span, "innocent": INNOCENT,
         "choices": choices, "stored": state.settings.record.clients},
    )  # fmt: skip
