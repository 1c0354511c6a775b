"""The bypass score on made data: each part of its formula, and what must not count."""

import pytest

from sinkhole.app.bypass_score import bypass_scores
from sinkhole.store.bypass_hits import BypassHits
from sinkhole.store.client_store import HourOfClient

NOON = 24 * 20_000 + 12
CANARY = "use-application-dns.net"
DOH = "dns.google"


def scores(hits=(), hours=(), since=NOON, until=NOON + 10):
    return bypass_scores(hits, hours, [CANARY], since, until)


def only(found):
    (one,) = found
    return one


def busy(client, *hours, queries=20, alive=True):
    return [HourOfClient(client, hour, queries, alive) for hour in hours]


def office(*silent, alive=True, others=3, who="quiet"):
    """Three colleagues who ask all day, and one who falls silent in some hours."""
    hours = [one for n in range(others) for one in busy(f"other-{n}", *range(NOON - 6, NOON + 10))]
    for hour in range(NOON - 6, NOON + 10):
        hours += [HourOfClient(who, hour, 0 if hour in silent else 20, alive)]
    return hours


def test_canaries_count_by_day():
    hits = [BypassHits("a", NOON + hour, CANARY, 3) for hour in (0, 1, 2, 24, 49)]
    found = only(scores(hits, until=NOON + 100))
    assert (found.canary_days, found.canary_points, found.score) == (3, 15, 15)


def test_names_count_by_hour_and_are_told():
    hits = [BypassHits("a", NOON, DOH, 50), BypassHits("a", NOON, "doh.example", 60), BypassHits("a", NOON + 3, DOH, 1)]
    found = only(scores(hits))
    assert (found.name_hours, found.name_points, found.names) == (2, 8, ("doh.example", DOH))


def test_parts_have_a_limit():
    hits = [BypassHits("a", NOON + hour, name, 1) for hour in range(0, 480, 12) for name in (CANARY, DOH)]
    found = only(scores(hits, until=NOON + 1000))
    assert (found.canary_points, found.name_points, found.silence_points, found.score) == (20, 40, 0, 60)


def test_sudden_silence_of_a_client_that_is_there():
    found = only(scores(hours=office(NOON + 2, NOON + 3, NOON + 4)))
    assert found.client == "quiet"
    assert found.silent_hours == (NOON + 2, NOON + 3, NOON + 4)
    assert found.score == found.silence_points == 30


def test_silence_with_canaries_is_silence():
    """A browser that asks the canary and then nothing is there, whatever leases and neighbour table say."""
    hits = [BypassHits("quiet", NOON + hour, CANARY, 2) for hour in (2, 3)]
    hours = [one for one in office(NOON + 2, NOON + 3, alive=False) if one.client != "quiet" or one.queries]
    hours += busy("quiet", NOON + 2, NOON + 3, queries=2, alive=False)
    found = only(scores(hits, hours))
    assert (found.silent_hours, found.score) == ((NOON + 2, NOON + 3), 25)


@pytest.mark.parametrize(
    "hours",
    [
        office(NOON + 2),
        office(NOON + 2, NOON + 3, alive=False),
        office(NOON + 2, NOON + 3, others=1),
        office(*range(NOON - 6, NOON + 10)),
        [one for one in office(NOON + 2, NOON + 3) if one.client == "quiet" or one.hour < NOON + 2],
        [HourOfClient(one.client, one.hour, min(one.queries, 5), True) for one in office(NOON + 2, NOON + 3)],
        [],
    ],
    ids=["one hour", "not there", "no others", "never steady", "all stop: evening", "few queries", "nothing"],
)
def test_what_is_no_sudden_silence(hours):
    assert scores(hours=hours) == []


def test_silence_before_the_span_does_not_count():
    hours = office(NOON + 2, NOON + 3)
    assert scores(hours=hours, since=NOON + 4) == []


def test_hour_that_is_not_over_is_not_looked_at():
    assert scores(hours=office(NOON + 8, NOON + 9), until=NOON + 9) == []


def test_silence_ends_with_the_others():
    hours = [one for one in office(*range(NOON + 2, NOON + 10)) if one.client == "quiet" or one.hour < NOON + 5]
    assert only(scores(hours=hours)).silent_hours == (NOON + 2, NOON + 3, NOON + 4)


def test_canaries_before_the_span_do_not_count():
    assert scores([BypassHits("a", NOON - 30, CANARY, 1), BypassHits("a", NOON - 1, DOH, 1)]) == []


def test_highest_first():
    hits = [BypassHits("a", NOON, CANARY, 1), *(BypassHits("b", NOON + hour, DOH, 1) for hour in range(3))]
    assert [(one.client, one.score) for one in scores(hits)] == [("b", 12), ("a", 5)]
