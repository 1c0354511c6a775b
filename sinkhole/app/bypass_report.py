"""Which clients look as if they went round the resolver, from what is stored."""

import time

from sinkhole.app.bypass_score import LOOK_BACK, BypassScore, canary_hours, scores, silent_hours
from sinkhole.app.client_names import client_store
from sinkhole.app.kept import Silence
from sinkhole.app.state import State
from sinkhole.resolver.canaries import CANARY_NAMES
from sinkhole.store.bypass_hits import BypassHits, bypass_hits
from sinkhole.store.client_store import HOUR

_CANARIES = frozenset(CANARY_NAMES)


def bypass_report(state: State, since: int) -> list[BypassScore]:
    """Return the scores of clients since a time (epoch seconds), the highest first."""
    hits = bypass_hits(state.store, since, state.settings.record.attempt_window)
    return scores(hits, _silence(state, hits, since), _CANARIES, since // HOUR)


def _silence(state: State, hits: list[BypassHits], since: int) -> Silence:
    """Return who was silent in the hours that are over; it is kept as long as these are as they were."""
    clients, begin, this_hour = client_store(state), since - LOOK_BACK * HOUR, int(time.time()) // HOUR
    asked = canary_hours(hits, _CANARIES)
    look = clients.look_of_hours(begin, this_hour)
    canaries = frozenset((client, hour, count) for client, hours in asked.items() for hour, count in hours.items())
    key = (str(state.store.path), state.store.identity, since // HOUR, this_hour, look, canaries)
    return state.kept.silence.get(key, lambda: silent_hours(clients.hours(begin), asked, since // HOUR, this_hour))
