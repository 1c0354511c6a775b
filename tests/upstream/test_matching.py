import pytest

from sinkhole.upstream.matching import Match, is_truncated, match, with_name
from tests.upstream.asking import asking, good

ASK = asking()
SENT = ASK.to_wire(0x4142)
LENGTH = len(ASK.question.name)
GOOD = good(SENT)


def altered(at: int, octets: bytes) -> bytes:
    return GOOD[:at] + octets + GOOD[at + len(octets) :]


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (GOOD, Match.ANSWER),
        (b"", Match.OTHER),
        (GOOD[:11], Match.OTHER),
        (altered(0, b"\0\0"), Match.OTHER),
        (altered(2, SENT[2:3]), Match.OTHER),
        (altered(2, b"\xa1"), Match.OTHER),
        (altered(13, b"x"), Match.OTHER),
        (altered(13, b"W"), Match.CASE),
        (altered(12 + LENGTH, b"\0\x1c"), Match.OTHER),
        (altered(14 + LENGTH, b"\0\3"), Match.OTHER),
        (altered(4, b"\0\2"), Match.OTHER),
        (GOOD[:12], Match.OTHER),
        (GOOD[:3] + b"\x81" + bytes(8), Match.BARE),
        (GOOD[:3] + b"\x84" + bytes(8), Match.BARE),
        (GOOD[:3] + b"\x80" + bytes(8), Match.OTHER),
        (GOOD[:3] + b"\x82" + bytes(8), Match.OTHER),
    ],
)
def test_only_the_answer_matches(got: bytes, expected: Match) -> None:
    """R-C01: id, QR, opcode, name with its letter case, type and class (RFC 5452, section 9.1)."""
    assert match(SENT, LENGTH, got) is expected


def test_truncation_is_seen() -> None:
    assert not is_truncated(GOOD)
    assert is_truncated(altered(2, b"\x83"))


def test_name_is_put_back_in_place() -> None:
    assert with_name(altered(13, b"W"), ASK.question.name) == GOOD
