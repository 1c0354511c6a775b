"""The signal of a client that reads structured errors."""

import pytest

from sinkhole.protocol.edns import Edns, asks_structured


@pytest.mark.parametrize(
    ("options", "number", "asks"),
    [
        ((), None, False),
        (((15, b"\0\0"),), None, True),
        (((10, b"12345678"), (15, b"\0\0")), None, True),
        (((15, b"\0\x11"),), None, False),
        (((15, b"\0\0text"),), None, False),
        (((65001, b""),), 65001, True),
        (((65001, b"\0"),), 65001, False),
        (((65002, b""),), 65001, False),
    ],
)
def test_signal_is_an_option_without_data_or_an_empty_error(options, number, asks):
    """draft-ietf-dnsop-structured-dns-error, section 5.3: one with data is ignored."""
    assert asks_structured(Edns(1232, options=options), number) is asks


def test_client_without_edns_gives_none():
    assert not asks_structured(None, 65001)
