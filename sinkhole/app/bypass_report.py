"""Which clients look as if they went round the resolver, from what is stored."""

import time

from sinkhole.app.bypass_score import LOOK_BACK, BypassScore, bypass_scores
from sinkhole.app.client_names import client_store
from sinkhole.app.state import State
from sinkhole.resolver.canaries import CANARY_NAMES
from sinkhole.store.bypass_hits import bypass_hits
from sinkhole.store.client_store import HOUR


def bypass_report(state: State, since: int) -> list[BypassScore]:
    """Return the scores of clients since a time (epoch seconds), the highest first."""
    hits = bypass_hits(state.store, since, state.settings.record.attempt_window)
    hours = client_store(state).hours(since - LOOK_BACK * HOUR)
    return bypass_scores(hits, hours, CANARY_NAMES, since // HOUR, int(time.time()) // HOUR)
