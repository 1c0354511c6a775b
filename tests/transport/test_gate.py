import pytest

from sinkhole.config.schema import AccessSettings
from sinkhole.errors import ListenError
from sinkhole.policy.groups import EVERYONE
from sinkhole.transport.gate import ClientGate


def make_gate(**access: object) -> ClientGate:
    return ClientGate(AccessSettings.model_validate(access), lambda _: EVERYONE)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.1.1", "100.64.0.1", "::1", "fd00::1",
     "fe80::1%eth0", "::ffff:127.0.0.1"],
)  # fmt: skip
def test_private_networks_are_served_by_default(host):
    """R-P01: default ACL loopback + private nets."""
    assert make_gate().admit(host).is_allowed


@pytest.mark.parametrize("host", ["192.0.2.1", "8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:192.0.2.1", "::"])
def test_the_world_is_not(host):
    """R-P01: not an open resolver."""
    assert not make_gate().admit(host).is_allowed


def test_networks_are_a_setting():
    gate = make_gate(allow=["192.0.2.0/24"])

    assert gate.admit("192.0.2.66").is_allowed
    assert not gate.admit("127.0.0.66").is_allowed


def test_client_of_a_dual_stack_socket_is_the_ipv4_client():
    gate = make_gate(rate_exempt=[])

    assert gate.admit("::ffff:127.0.0.1").client.address == "127.0.0.1"
    assert gate.admit("::ffff:127.0.0.1").bucket is gate.admit("127.0.0.1").bucket
    assert gate.admit("fe80::1%eth0").client.address == "fe80::1"


def test_limit_is_shared_within_a_64_but_not_in_ipv4():
    """R-P02: prefix-aggregated."""
    gate = make_gate(rate_exempt=[])

    assert gate.admit("fd00::1").bucket is gate.admit("fd00::ffff:1:2:3").bucket
    assert gate.admit("fd00::1").bucket is not gate.admit("fd00:0:0:1::1").bucket
    assert gate.admit("10.0.0.1").bucket is not gate.admit("10.0.0.2").bucket
    assert gate.admit("fd00::1").network == gate.admit("fd00::2").network == "fd00::/64"


def test_rate_zero_is_no_limit():
    assert make_gate(rate=0, rate_exempt=[]).admit("10.0.0.1").bucket is None


def test_limit_outlives_a_new_policy():
    """R-P02: a policy change must not give a flooding client a new burst."""
    gate = make_gate(rate=1, burst=1, rate_exempt=[])
    before = gate.admit("10.0.0.1")
    gate.forget_scopes()
    after = gate.admit("10.0.0.1")

    assert after is not before
    assert after.bucket is before.bucket


def test_number_of_clients_is_bounded():
    """R-P04: a flood of forged addresses."""
    gate = ClientGate(AccessSettings(), lambda _: EVERYONE, max_clients=100)
    for number in range(1000):
        gate.admit(f"10.0.{number >> 8}.{number & 255}")

    assert len(gate.clients) <= 100


def test_what_is_no_address_is_an_error():
    with pytest.raises(ListenError, match="wanted IPv4 or IPv6"):
        make_gate().admit("nobody")
