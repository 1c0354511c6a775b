"""Numbers and their names."""

import dns.rdatatype
import pytest

from sinkhole.errors import FormError
from sinkhole.protocol.types import QType, Rcode, qtype_from_text, qtype_to_text, rcode_to_text


@pytest.mark.parametrize("name", [name for name in vars(QType) if name.isupper()])
def test_types_have_the_numbers_dnspython_knows(name: str):
    number = getattr(QType, name)
    if name in dns.rdatatype.RdataType.__members__:
        assert dns.rdatatype.from_text(name) == number
    assert qtype_to_text(number) == name
    assert qtype_from_text(name.lower()) == number


def test_unnamed_types_are_generic():
    """R-W12: RFC 3597, section 5."""
    assert qtype_to_text(65300) == "TYPE65300"
    assert qtype_from_text("type65300") == 65300
    assert qtype_from_text("TYPE1") == QType.A


@pytest.mark.parametrize("text", ["", "TYPE", "TYPE65536", "TYPE-1", "TYPE٣", "B", "TYPE000001"])
def test_unknown_names_are_refused(text: str):
    with pytest.raises(FormError, match="type"):
        qtype_from_text(text)


def test_response_codes_have_names():
    assert rcode_to_text(Rcode.NXDOMAIN) == "NXDOMAIN"
    assert rcode_to_text(3841) == "RCODE3841"
