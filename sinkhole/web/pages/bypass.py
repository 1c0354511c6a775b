"""The report of who looks as if they went round the resolver."""

from sinkhole.app.bypass_report import bypass_report
from sinkhole.app.client_names import clients_by_text
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
    known = clients_by_text(state) if found else {}
    rows = [
        (one, known[one.client].name if one.client in known else None, [hour * HOUR for hour in one.silent_hours])
        for one in found[:_MOST_ROWS]
    ]
    choices = [(spanned("/reports/bypass", span), words) for span, words in SPANS.items()]
    return View(
        "bypass.html",
        {"rows": rows, "total": len(found), "times": times, "span": query.span, "innocent": INNOCENT,
         "choices": choices, "stored": state.settings.record.clients},
    )  # fmt: skip
