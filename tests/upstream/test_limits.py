from collections.abc import Callable
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


def crowd(held: ExitStack, inflight: InFlight, count: int) -> None:
    """Use so many places for as many clients and domains, since one alone cannot have all."""
    for number in range(count):
        held.enter_context(inflight.enter(f"198.51.100.{number}", name(f"d{number}.example")))


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
        (crowd if setting == "max_in_flight" else fill)(held, inflight, 10)
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
        crowd(held, inflight, 10)
        with pytest.raises(UpstreamBusy), inflight.enter("192.0.2.1", KEY):
            pass


def test_unlimited_descriptors_are_no_limit() -> None:
    inflight = limits(descriptors=-1, strategy="race", max_in_flight=11)
    with ExitStack() as held:
        crowd(held, inflight, 11)
        assert inflight.waiting == 11


def name(text: str) -> bytes:
    return question(text).key


def take_all(held: ExitStack, inflight: InFlight, client: str, name_of: Callable[[int], str], tries: int) -> int:
    """Ask for as many names as it lets; return how many those are."""
    got = 0
    for number in range(tries):
        try:
            held.enter_context(inflight.enter(client, name(name_of(number))))
        except UpstreamBusy:
            continue
        got += 1
    return got


@pytest.mark.parametrize("places", [40, 768, 4000])
def test_flood_of_one_client_leaves_places_however_few_there_are(places: int) -> None:
    """R-P03: random names below one domain, and below many."""
    for name_of in ("x{}.example.org", "x{0}.d{0}.example"):
        inflight = limits(max_in_flight=places)
        with ExitStack() as held:
            got = take_all(held, inflight, "192.0.2.66", name_of.format, 5000)
            assert places / 4 <= got <= min(1000, places * 4 / 5 + 1)
            assert take_all(held, inflight, "192.0.2.1", "y{}.example.net".format, places // 20) == places // 20


def test_floods_of_many_clients_below_one_domain_leave_places_for_others() -> None:
    inflight = limits(max_in_flight=768)
    with ExitStack() as held:
        for host in range(100):
            take_all(held, inflight, f"198.51.100.{host}", f"h{host}x{{}}.example.org".format, 50)
        assert inflight.waiting <= 768 * 4 / 5 + 1
        assert take_all(held, inflight, "192.0.2.1", "y{}.example.net".format, 20) == 20


def test_several_floods_leave_places() -> None:
    inflight = limits()
    with ExitStack() as held:
        stacks = [held.enter_context(ExitStack()) for _ in range(60)]
        for turn in range(300):  # the oldest are answered, and each flood takes what it then can
            stacks[turn % 60].close()
            for host in range(6):
                take_all(stacks[turn % 60], inflight, f"198.51.100.{host}", f"x{{}}.d{host}.example".format, 50)
        assert inflight.waiting > 3000
        assert take_all(held, inflight, "192.0.2.1", "y{}.example.net".format, 100) == 100


def test_domains_below_a_public_suffix_do_not_share_their_places() -> None:
    """The registered domain of `www.example.co.uk` is `example.co.uk`."""
    inflight = limits(max_in_flight_per_zone=10)
    with ExitStack() as held:
        assert take_all(held, inflight, "192.0.2.66", "x{}.flood.co.uk".format, 20) == 10
        assert take_all(held, inflight, "192.0.2.66", "x{}.co.uk".format, 20) == 20
        for other in ("www.example.co.uk", "bbc.co.uk", "uk", "co.uk", "printer.lan", "localhost"):
            with inflight.enter("192.0.2.1", name(other)):
                pass
    assert not inflight._zones
