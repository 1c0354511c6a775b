"""Addresses of clients as they are written."""

import pytest

from sinkhole.errors import PolicyError
from sinkhole.policy.address import client_address


@pytest.mark.parametrize(
    ("text", "usual"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:DB8:0::7", "2001:db8::7"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%e0", "fe80::1"),
    ],
)  # fmt: skip
def test_client_has_one_spelling(text, usual):
    assert client_address(text) == usual


@pytest.mark.parametrize("text", ["", "here", "192.0.2.0/24", "192.0.2.256"])
def test_what_is_no_client_is_refused(text):
    with pytest.raises(PolicyError, match=f"{text!r} is no address such as"):
        client_address(text)
