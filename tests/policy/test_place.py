"""Which names are too wide to be one network's own."""

import pytest

from sinkhole.policy.place import is_too_wide
from sinkhole.protocol.names import labels_of, name_from_text


@pytest.mark.parametrize("name", [".", "com", "co.uk", "example"])
def test_what_many_register_in_is_too_wide(name):
    assert is_too_wide(labels_of(name_from_text(name)))


@pytest.mark.parametrize("name", ["example.com", "example.co.uk", "corp.example.com", "lan", "corp", "home.arpa"])
def test_what_somebody_registered_or_nobody_can_is_not(name):
    assert not is_too_wide(labels_of(name_from_text(name)))
