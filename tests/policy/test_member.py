"""R-B12: members of groups are written in one way everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinkhole.errors import PolicyError
from sinkhole.policy.identity import Identity
from sinkhole.policy.member import Member, MemberKind, is_id, mac_from_octets, mac_from_text, member_from_text


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.77/24 ", "192.0.2.0/24"),
        ("192.0.2.7/32", "192.0.2.7"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("mac:AA-BB-CC-DD-EE-FF", "mac:aa:bb:cc:dd:ee:ff"),
        ("aa:bb:cc:dd:ee:ff", "mac:aa:bb:cc:dd:ee:ff"),
        ("aabb.ccdd.eeff", "mac:aa:bb:cc:dd:ee:ff"),
        ("mac:aa:bb:cc", "mac:aa:bb:cc"),
        ("MAC:AA-BB-CC-DD", "mac:aa:bb:cc:dd"),
        ("name:*.Lab.Example.", "name:*.lab.example"),
        ("name:pc**7.example", "name:pc*7.example"),
        ("name:_host.example", "name:_host.example"),
        ("id:LAPTOP-7", "id:LAPTOP-7"),
        ("id: 01:aa:bb:cc:dd:ee:ff ", "id:01:aa:bb:cc:dd:ee:ff"),
        ("id:Büro", "id:Büro"),
    ],
)
def test_member(written, spelled):
    member = member_from_text(written)
    assert str(member) == spelled
    assert member_from_text(spelled) == member


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("reception", "is no address and no network"),
        ("", "is no address and no network"),
        ("aa:bb:cc", "is no address and no network"),
        ("mac:aa:bb", "first 3 to 5 octets"),
        ("mac:aa:bb-cc", "first 3 to 5 octets"),
        ("mac:", "wanted a MAC address"),
        ("mac:aa:bb:cc:dd:ee:ff:00", "wanted a MAC address"),
        ("name:", "wanted a host name"),
        ("name:a..b", "wanted a host name"),
        ("name:.example", "wanted a host name"),
        ("name:büro.example", "wanted a host name"),
        ("name:" + "a" * 254, "wanted a host name"),
        ("id:", "wanted a client-id"),
        ("id:a\x1b[31m", "wanted a client-id"),
        ("id:" + "x" * 256, "wanted a client-id"),
    ],
)
def test_what_is_no_member(written, said):
    with pytest.raises(PolicyError, match=said):
        member_from_text(written)


def test_most_specific_first():
    """The order of docs/groups.md."""
    members = (
        "id:LAPTOP-7", "mac:aa:bb:cc:dd:ee:ff", "192.0.2.7", "name:pc7.lab.example", "name:*.lab.example",
        "name:*.example", "mac:aa:bb:cc:dd", "mac:aa:bb:cc", "192.0.2.0/31", "192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0",
    )  # fmt: skip
    places = [member_from_text(text).specificity for text in members]
    assert places == sorted(places)
    assert len(set(places)) == len(places)


def test_mac_of_octets():
    assert mac_from_octets(bytes.fromhex("aabbccddeeff")) == "aa:bb:cc:dd:ee:ff"
    assert [mac_from_octets(octets) for octets in (b"", bytes(6), bytes(range(8)))] == [None, None, None]
    assert mac_from_text("aa:bb:cc:dd:ee:fg") is None


def test_id():
    assert is_id("a b")
    assert not is_id(" a")


def test_identity_of_nobody_is_false():
    assert not Identity()
    assert Identity(mac="aa:bb:cc:dd:ee:ff")
    assert Identity(names=("a.example",))
    assert Identity(ids=("x",))


@given(st.text(max_size=30) | st.builds("{}:{}".format, st.sampled_from(["mac", "name", "id"]), st.text(max_size=20)))
def test_reading_never_fails_otherwise(text):
    try:
        member = member_from_text(text)
    except PolicyError:
        return
    assert isinstance(member, Member)
    assert member_from_text(str(member)) == member
    assert (member.kind is MemberKind.NETWORK) == (not str(member).startswith(("mac:", "name:", "id:")))
