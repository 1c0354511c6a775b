from contextlib import ExitStack

import pytest

from sinkhole.config.schema import UpstreamSettings
from sinkhole.upstream import UpstreamBusy
from sinkhole.upstream.limits import InFlight
from tests.upstream.asking import question

KEY = question("www.example.org").key


def limits(descriptors: int = 100_000, **settings: object) -> InFlight:
    return InFlight(UpstreamSettings(**settings), descriptors)  # type: ignore[arg-type]


def fill(held: ExitStack, inflight: InFlight, count: int) -> None:
    for _ in range(count):
        held.enter_context(inflight.enter("192.0.2.1", KEY))


@pytest.mark.parametrize(
    ("setting", "other_client", "other_name"),
    [
        ("max_in_flight", "192.0.2.2", "www.example.net"),
        ("max_in_flight_per_client", "192.0.2.1", "www.example.net"),
        ("max_in_flight_per_zone", "192.0.2.2", "ftp.EXAMPLE.org"),
    ],
)
def test_limit_holds_and_is_given_back(setting: str, other_client: str, other_name: str) -> None:
    """R-P03: global, per client, per zone."""
    inflight = limits(**{setting: 10})
    with ExitStack() as held:
        fill(held, inflight, 10)
        with pytest.raises(UpstreamBusy) as caught, inflight.enter(other_client, question(other_name).key):
            pass
    assert caught.value.ede == 0
    with inflight.enter(other_client, question(other_name).key):
        assert inflight.waiting == 1
    assert inflight.waiting == 0
    assert not inflight._clients
    assert not inflight._zones


def test_file_descriptors_are_left_for_others() -> None:
    """R-O09: waiting queries leave 256 descriptors to everything else."""
    inflight = limits(descriptors=266)
    with ExitStack() as held:
        fill(held, inflight, 10)
        with pytest.raises(UpstreamBusy), inflight.enter("192.0.2.1", KEY):
            pass


def test_unlimited_descriptors_are_no_limit() -> None:
    inflight = limits(descriptors=-1, strategy="race", max_in_flight=11)
    with ExitStack() as held:
        fill(held, inflight, 11)
        assert inflight.waiting == 11
