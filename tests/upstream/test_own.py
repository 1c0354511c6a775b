import pytest

from sinkhole.upstream.address import parse_upstream
from sinkhole.upstream.own import is_own, own_addresses


@pytest.mark.parametrize(
    ("upstream", "listen"),
    [
        ("127.0.0.1:5300", "127.0.0.1:5300"),
        ("tcp://[::1]:5300", "[::1]:5300"),
        ("127.0.0.1:5300", "0.0.0.0:5300"),
        ("127.0.0.53:5300", "0.0.0.0:5300"),
        ("127.0.0.1:5300", "[::]:5300"),
        ("0.0.0.0:5300", "127.0.0.1:5300"),
    ],
)
def test_own_address_is_known(upstream: str, listen: str) -> None:
    assert is_own(parse_upstream(upstream), ["192.0.2.1:53", listen])


@pytest.mark.parametrize(
    ("upstream", "listen"),
    [
        ("127.0.0.1:5301", "127.0.0.1:5300"),
        ("127.0.0.2:5300", "127.0.0.1:5300"),
        ("192.0.2.1:5300", "0.0.0.0:5300"),
        ("2001:db8::1:5300", "[::]:5300"),
        ("tls://127.0.0.1:5300", "127.0.0.1:5300"),
        ("udp://dns.example.org:5300", "0.0.0.0:5300"),
    ],
)
def test_other_address_is_not_ours(upstream: str, listen: str) -> None:
    assert not is_own(parse_upstream(upstream), [listen])


def test_of_several_addresses_only_the_own_are_returned() -> None:
    assert own_addresses(["127.0.0.1", "192.0.2.1", "2001:db8::1"], 53, ["[::]:53"]) == {"127.0.0.1"}


def test_address_without_a_route_is_not_ours() -> None:
    assert not is_own(parse_upstream("255.255.255.255:53"), ["0.0.0.0:53"])


def test_listening_on_a_port_the_system_chooses_owns_no_upstream() -> None:
    assert not is_own(parse_upstream("127.0.0.1:53"), ["127.0.0.1:0", "[::]:0"])
