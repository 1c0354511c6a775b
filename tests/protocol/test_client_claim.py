"""What a forwarder says of the client it asks for (dnsmasq's options; RFC 7871)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.protocol.client_claim import ClientClaim, read_claim

MAC = bytes.fromhex("aabbccddeeff")


def ecs(family: int, bits: int, address: bytes) -> tuple[int, bytes]:
    return (8, family.to_bytes(2, "big") + bytes([bits, 0]) + address)


@pytest.mark.parametrize(
    ("options", "claim"),
    [
        ([(65001, MAC)], ClientClaim(mac="aa:bb:cc:dd:ee:ff")),
        ([(65073, b"AA:BB:CC:DD:EE:FF")], ClientClaim(mac="aa:bb:cc:dd:ee:ff")),
        ([(65073, b"qrvM3e7/")], ClientClaim(mac="aa:bb:cc:dd:ee:ff")),
        ([(65074, b"LAPTOP-7")], ClientClaim(cpe_id="LAPTOP-7")),
        ([ecs(1, 32, bytes([192, 0, 2, 7]))], ClientClaim("192.0.2.7")),
        ([ecs(2, 128, bytes.fromhex("20010db8" + "0" * 23 + "7"))], ClientClaim("2001:db8::7")),
        ([ecs(2, 128, bytes.fromhex("0" * 20 + "ffff" + "c0000207"))], ClientClaim("192.0.2.7")),
        (
            [
                (10, b"12345678"),
                (65001, MAC),
                (65073, b"AA:BB:CC:DD:EE:FF"),
                (65001, b"nonsense"),
                (65074, b"x"),
                ecs(1, 32, bytes([192, 0, 2, 7])),
            ],
            ClientClaim("192.0.2.7", "aa:bb:cc:dd:ee:ff", "x"),
        ),
    ],
)
def test_claim(options, claim):
    assert read_claim(options) == claim


@pytest.mark.parametrize(
    ("options", "claim"),
    [
        ([(65001, MAC), (65001, bytes(5) + b"\1")], None),
        ([(65073, b"AA:BB:CC:DD:EE:01"), (65001, MAC), (65074, b"x")], ClientClaim(cpe_id="x")),
        ([(65074, b"x"), (65074, b"y"), (65001, MAC)], ClientClaim(mac="aa:bb:cc:dd:ee:ff")),
        ([ecs(1, 32, bytes([192, 0, 2, 7])), ecs(1, 32, bytes([192, 0, 2, 8]))], None),
    ],
)
def test_of_two_that_differ_neither_counts(options, claim):
    """A client behind the forwarder may have sent one of them, in the place or spelling that the forwarder leaves."""
    assert read_claim(options) == claim


@pytest.mark.parametrize(
    "option",
    [
        (65001, b""), (65001, bytes(6)), (65001, MAC + b"\0"), (65073, b"nonsens"), (65073, b"!!!!!!!!"),
        (65073, b"x"), (65074, b""), (65074, b"  "), (65074, b"a\x1b[31m"), (65074, b"\xff"), (65074, b"x" * 256),
        ecs(1, 24, bytes([192, 0, 2])), ecs(1, 32, bytes([192, 0, 2])), ecs(1, 32, bytes(4)), ecs(3, 32, bytes(4)),
        ecs(2, 56, bytes(7)), (8, b""), (8, b"\0\1"), (10, b"12345678"),
    ],
)  # fmt: skip
def test_what_says_nothing(option):
    assert read_claim([option]) is None


@given(st.lists(st.tuples(st.sampled_from([8, 65001, 65073, 65074]), st.binary(max_size=24)), max_size=4))
def test_reading_never_fails(options):
    claim = read_claim(options)
    assert claim is None or claim.address or claim.mac or claim.cpe_id
