"""Addresses a fetch may go to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import FeedError
from sinkhole.feeds.destination import check_destination

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "::1", "fc00::1", "fd12::1",
    "::ffff:192.168.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1",
]  # fmt: skip
NOWHERE = [
    "169.254.169.254", "0.0.0.0", "::", "fe80::1", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "64:ff9b:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "64:ff9b::9.9.9.9", "::ffff:9.9.9.9"])
def test_public_addresses_need_no_leave(address: str) -> None:
    assert check_destination("example.org", address, allow_private=False) is False


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_leave_in_every_disguise(address: str) -> None:
    """R-F04."""
    with pytest.raises(FeedError, match="has the private address"):
        check_destination("example.org", address, allow_private=False)
    assert check_destination("example.org", address, allow_private=True) is True


@pytest.mark.parametrize("address", NOWHERE)
def test_metadata_and_multicast_addresses_are_never_asked(address: str) -> None:
    """R-F04: link-local addresses, where clouds serve credentials, are refused even with leave."""
    for allow_private in (False, True):
        with pytest.raises(FeedError, match="where no list can be"):
            check_destination("example.org", address, allow_private=allow_private)


@given(st.ip_addresses(v=4))
def test_mapped_addresses_are_judged_as_what_they_map(address: ipaddress.IPv4Address) -> None:
    """R-F04."""

    def judge(text: str) -> bool | None:
        try:
            return check_destination("example.org", text, allow_private=False)
        except FeedError:
            return None

    assert judge(f"::ffff:{address}") == judge(str(address)) == judge(f"64:ff9b::{address}")
