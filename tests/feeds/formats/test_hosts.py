import pytest

from sinkhole.policy.rule import Match, Rule
from tests.feeds.reading import names, read, rejections, why


@pytest.mark.parametrize(
    "row",
    [
        "0.0.0.0 a.example",
        "0.0.0.0\ta.example",
        "127.0.0.1 a.example # comment",
        "127.0.0.1 a.example#comment",
        "  0.0.0.0   A.Example.  ",
        "::1 a.example",
        ":: a.example",
        "fe80::1%lo0 a.example",
        "192.0.2.1 a.example",
        "255.255.255.255 a.example",
        "a.example",
    ],
)
def test_any_address_blocks_the_name_alone(row: str) -> None:
    """R-L01."""
    assert names(row, "hosts") == [(Match.EXACT, "a.example")]
    assert names(row, "hosts", local=True) == [(Match.EXACT, "a.example")]


def test_several_names_each_count_and_one_bad_one_does_not_spoil_them() -> None:
    """R-L01."""
    found = read("0.0.0.0 a.example foo..x b.example", "hosts")
    assert found[0] == Rule(Match.EXACT, "a.example", line=1)
    assert found[2] == Rule(Match.EXACT, "b.example", line=1)
    assert [(r.column, r.why) for r in rejections(found)] == [(23, "an empty label")]


@pytest.mark.parametrize(
    "row",
    [
        "127.0.0.1 localhost",
        "127.0.0.1 localhost.localdomain",
        "255.255.255.255 broadcasthost",
        "::1 ip6-localhost ip6-loopback",
        "ff02::1 ip6-allnodes",
        "0.0.0.0 0.0.0.0",
        "127.0.0.1 LOCAL",
        "# 0.0.0.0 a.example",
        "! comment",
        "",
        "   ",
    ],
)
def test_rows_of_the_machine_and_comments_say_nothing(row: str) -> None:
    """R-L02."""
    assert read(row, "hosts") == []
    assert read(row, "hosts", local=True) == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.0.0.0", "an address without a name"),
        ("0.0.0.0#a.example", "an address without a name"),
        ("0.0.0.0 192.0.2.1", "an address or a number"),
        ("0.0.0.0 *.a.example", "a wildcard"),
        ("0.0.0.0 a.example/x", "a URL or path"),
        ("a.example b.example", "wanted an address"),
        ("0.0.0.0 foo", "too wide"),
    ],
)
def test_what_is_refused(row: str, reason: str) -> None:
    assert why(row, "hosts").startswith(reason)


def test_a_local_file_may_name_hosts_of_one_label() -> None:
    assert names("0.0.0.0 nas", "hosts", local=True) == [(Match.EXACT, "nas")]
